"""A case package as plain values, read from a message whose shape the wire has checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part in an entry; shares are both None where they own together without shares."""

    role: str
    kind: str
    name: str
    id_kind: str
    id_number: str
    phone: str
    share_numerator: int | None
    share_denominator: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    position: int
    business_type: str
    registration_type: str
    right_type: str
    unit_code: str
    certificate_number: str
    register_version: int | None
    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """A file; `source` and what follows it only where a department shared it."""

    code: str
    party_position: int | None
    digest: str
    mime: str
    size: int
    source: str | None = None
    source_text: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    code: str
    question: str
    answer: str
    answer_text: str


@dataclass(frozen=True, slots=True)
class Package:
    """The whole of it; amounts in fen."""

    application_id: str
    number: str
    district: str
    mode: str
    origin: str
    catalogue_version: int
    submitted_at: datetime
    price_fen: int | None
    entries: tuple[Entry, ...]
    materials: tuple[Material, ...]
    confirmations: Sequence[Mapping[str, Any]]


def parse_package(body: Mapping[str, Any]) -> Package:
    entries = (
        Entry(**{**entry, "parties": tuple(Party(**party) for party in entry["parties"])}) for entry in body["entries"]
    )
    materials = (Material(**material) for material in body["materials"])
    return Package(
        **{
            **body,
            "submitted_at": datetime.fromisoformat(body["submitted_at"]),
            "entries": tuple(sorted(entries, key=lambda entry: entry.position)),
            "materials": tuple(materials),
        }
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """The inquiry record (询问笔录) of one party, as that party read and signed it."""

    id_number: str
    answers: tuple[Answer, ...]


def answered(confirmation: Mapping[str, Any]) -> Answered:
    """Read out of what was confirmed; no answers where a statement carries none.

    The wire does not look inside a statement, so a line that lacks something is shown with what it has.
    """
    statement = confirmation["statement"]
    found = (
        Answer(*(str(each.get(part, "")) for part in ("code", "question", "answer", "answer_text")))
        for each in statement.get("inquiry", ())
    )
    return Answered(statement.get("me", {}).get("id_number", ""), tuple(found))


def parties_from(values: Sequence[Mapping[str, Any]]) -> tuple[Party, ...]:
    return tuple(Party(**value) for value in values)


def parties_to(parties: Sequence[Party]) -> list[dict[str, Any]]:
    return [asdict(party) for party in parties]
