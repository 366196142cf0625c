"""What the business asks of one application, fixed when it is opened: later catalogue versions do not touch it."""

from dataclasses import dataclass
from typing import Any, Self

import orjson


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """One line of the material list; `form` is uploaded, generated or elsewhere, `max_bytes` counts per file.

    `source_code` names the department whose data may take its place, once there is some about each party at the
    positions `source_parties`; None where it can only be uploaded.
    """

    code: str
    name: str
    required: bool
    form: str
    per_party: bool
    accepted_mime: tuple[str, ...]
    max_bytes: int
    max_files: int
    hint: str
    source_code: str | None = None
    source_parties: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question of the inquiry record, put to the parties in `roles`."""

    code: str
    text: str
    roles: tuple[str, ...]
    choices: tuple[ChoiceLine, ...]


@dataclass(frozen=True, slots=True)
class NameLine:
    """A role or a track, and what this business calls it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """The catalogue's content as far as this application needs it; nothing personal, nothing left to evaluate.

    `fee_due` is acceptance, review_passed or before_certificate.
    """

    business_type: str
    name: str
    version: int
    materials: tuple[MaterialLine, ...]
    questions: tuple[QuestionLine, ...]
    commitment_title: str
    commitment_text: str
    roles: tuple[NameLine, ...]
    tracks: tuple[NameLine, ...]
    fee_due: str
    confirmation_hours: int
    claim_days: int

    def material(self, code: str) -> MaterialLine | None:
        return next((line for line in self.materials if line.code == code), None)

    def role_name(self, role: str) -> str:
        return next((line.name for line in self.roles if line.code == role), role)

    def has_track(self, code: str) -> bool:
        return any(line.code == code for line in self.tracks)

    def to_json(self) -> str:
        return orjson.dumps(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        data: dict[str, Any] = orjson.loads(text)
        data["materials"] = tuple(_material(line) for line in data["materials"])
        data["questions"] = tuple(_question(line) for line in data["questions"])
        data["roles"] = tuple(NameLine(**line) for line in data["roles"])
        data["tracks"] = tuple(NameLine(**line) for line in data["tracks"])
        return cls(**data)


def _material(line: dict[str, Any]) -> MaterialLine:
    places = tuple(line.get("source_parties", ()))  # absent in applications opened before there were sources
    return MaterialLine(**{**line, "accepted_mime": tuple(line["accepted_mime"]), "source_parties": places})


def _question(line: dict[str, Any]) -> QuestionLine:
    choices = tuple(ChoiceLine(**choice) for choice in line["choices"])
    return QuestionLine(line["code"], line["text"], tuple(line["roles"]), choices)
