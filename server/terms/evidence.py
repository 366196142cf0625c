"""What a department answered about one person, as it is kept and sent on: one canonical, versioned JSON document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self

import orjson

from kit.clock import date_text, rfc3339, time_text
from kit.words import Worded

FORMAT = "yichuang.evidence"
VERSION = 1
MIME = "application/json"


class EvidenceKind(StrEnum):
    """What an answer is about."""

    MARRIAGE = "marriage"
    HOUSEHOLD = "household"


class MaritalStatus(Worded):
    UNMARRIED = "unmarried", "未婚"
    MARRIED = "married", "已婚"
    DIVORCED = "divorced", "离婚"
    WIDOWED = "widowed", "丧偶"


class Relation(Worded):
    """Of a household's member to the person asked about."""

    SELF = "self", "本人"
    SPOUSE = "spouse", "配偶"
    CHILD = "child", "子女"
    PARENT = "parent", "父母"
    OTHER = "other", "其他成员"


_TITLES = {EvidenceKind.MARRIAGE: "婚姻登记信息", EvidenceKind.HOUSEHOLD: "户籍家庭成员信息"}


class EvidenceUnreadable(ValueError):
    """No evidence document of a version known here; never says what stood there."""


@dataclass(frozen=True, slots=True)
class Marriage:
    """The state of a marriage; of the spouse no more than tells them apart."""

    status: MaritalStatus
    registered_on: date | None = None
    spouse_name: str | None = None
    spouse_id_number_masked: str | None = None

    def to_data(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "registered_on": self.registered_on.isoformat() if self.registered_on else None,
            "spouse_name": self.spouse_name,
            "spouse_id_number_masked": self.spouse_id_number_masked,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        day = data["registered_on"]
        return cls(
            MaritalStatus(data["status"]),
            date.fromisoformat(day) if day else None,
            data["spouse_name"],
            data["spouse_id_number_masked"],
        )

    def lines(self) -> list[tuple[str, str]]:
        found = [("婚姻状况", self.status.text)]
        if self.registered_on:
            found.append(("登记日期", date_text(self.registered_on)))
        if self.spouse_name:
            number = f"（证件号码{self.spouse_id_number_masked}）" if self.spouse_id_number_masked else ""
            found.append(("配偶", self.spouse_name + number))
        return found


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    relation: Relation
    minor: bool


@dataclass(frozen=True, slots=True)
class Household:
    """Who is registered in the person's household: for counting a family's homes, so without numbers and address."""

    members: tuple[Member, ...]

    def to_data(self) -> dict[str, Any]:
        return {
            "members": [
                {"name": each.name, "relation": each.relation.value, "minor": each.minor} for each in self.members
            ]
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        members = (Member(each["name"], Relation(each["relation"]), bool(each["minor"])) for each in data["members"])
        return cls(tuple(members))

    def lines(self) -> list[tuple[str, str]]:
        return [
            ("家庭成员", f"{each.name}（{each.relation.text}{'，未成年人' if each.minor else ''}）")
            for each in self.members
        ]


Content = Marriage | Household
_CONTENTS: Mapping[EvidenceKind, type[Marriage] | type[Household]] = {
    EvidenceKind.MARRIAGE: Marriage,
    EvidenceKind.HOUSEHOLD: Household,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One answer of one department about one person; `answer_digest` is the SHA-256 of the raw signed answer."""

    kind: EvidenceKind
    source: str
    source_text: str
    purpose: str
    legal_basis: str
    request_no: str
    answer_no: str
    asked_at: datetime
    answered_at: datetime
    subject_name: str
    subject_id_number_masked: str
    content: Content
    answer_digest: str

    @property
    def title(self) -> str:
        return _TITLES[self.kind]

    def to_bytes(self) -> bytes:
        """The one spelling: UTF-8 JSON, keys sorted, no white space."""
        same = ("source", "source_text", "purpose", "legal_basis", "request_no", "answer_no", "answer_digest")
        data = {
            "format": FORMAT,
            "version": VERSION,
            "kind": self.kind.value,
            **{name: getattr(self, name) for name in same},
            "asked_at": rfc3339(self.asked_at),
            "answered_at": rfc3339(self.answered_at),
            "subject": {"name": self.subject_name, "id_number_masked": self.subject_id_number_masked},
            "content": self.content.to_data(),
        }
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Raises EvidenceUnreadable."""
        try:
            return cls._of(orjson.loads(raw))
        except (KeyError, TypeError, ValueError):
            pass
        raise EvidenceUnreadable("no evidence document of a known version")

    @classmethod
    def _of(cls, data: Mapping[str, Any]) -> Self:
        if (data["format"], data["version"]) != (FORMAT, VERSION):
            raise EvidenceUnreadable
        kind = EvidenceKind(data["kind"])
        same = ("source", "source_text", "purpose", "legal_basis", "request_no", "answer_no", "answer_digest")
        return cls(
            kind=kind,
            **{name: str(data[name]) for name in same},
            asked_at=datetime.fromisoformat(data["asked_at"]),
            answered_at=datetime.fromisoformat(data["answered_at"]),
            subject_name=str(data["subject"]["name"]),
            subject_id_number_masked=str(data["subject"]["id_number_masked"]),
            content=_CONTENTS[kind].from_data(data["content"]),
        )

    def lines(self) -> list[tuple[str, str]]:
        """(label, text) in Chinese, for whoever may read it."""
        return [
            ("被查询人", f"{self.subject_name}（证件号码{self.subject_id_number_masked}）"),
            *self.content.lines(),
            ("数据来源", self.source_text),
            ("使用目的", self.purpose),
            ("法律依据", self.legal_basis),
            ("查询编号", self.request_no),
            ("应答编号", self.answer_no),
            ("应答时间", time_text(self.answered_at)),
        ]
