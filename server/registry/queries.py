from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kit.db import fetch, fetch_one
from kit.db.scope import within
from kit.db.sql import as_utc
from server.registry.errors import CaseNotFound
from server.registry.gates import blockers
from server.registry.models import (
    RegistryCase,
    RegistryCaseEntry,
    RegistryHolder,
    RegistryMaterial,
    RegistryRight,
    RegistryTrack,
    RegistryUnit,
)
from server.registry.package import Party, answered
from server.registry.ports import Needs, Opinion, Procedure
from server.registry.rules import REVIEW, Blocker, CaseState, RightState, step_of
from server.registry.sealed import MESSAGE_BODY, confirmations_of, location_of, owner_of, parties_of
from server.terms.codes import HouseUsage
from server.terms.scope import Scope
from server.terms.unit_record import UnitRecord


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case as lists show it; nothing personal."""

    id: str
    case_number: str | None
    application_id: str
    application_number: str
    district: str
    business_type: str
    catalogue_version: int
    state: str
    version: int
    submitted_at: datetime
    promised_on: date | None


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """A file of the case; `source` and what follows it only where a department shared it."""

    id: str
    code: str
    name: str
    party_position: int | None
    digest: str
    mime: str
    size: int
    source: str | None
    source_text: str | None
    purpose: str | None
    legal_basis: str | None


@dataclass(frozen=True, slots=True)
class TrackLine:
    code: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    position: int
    business_type: str
    registration_type: str
    right_type: str
    unit_code: str
    certificate_number: str
    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Attention:
    """An answer of the inquiry that an officer must look at; no party where the signer is none of the case's."""

    party: Party | None
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A whole case, parties in clear: whoever shows it masks them."""

    line: CaseLine
    business_name: str
    entries: tuple[EntryLine, ...]
    materials: tuple[MaterialLine, ...]
    tracks: tuple[TrackLine, ...]
    waits_for: tuple[Blocker, ...]
    opinions: tuple[Opinion, ...]
    attention: tuple[Attention, ...]


_LINE = (
    "id, case_number, application_id, application_number, district, business_type, catalogue_version, state, version, "
    "submitted_at, promised_on"
)


def _line(row: dict[str, Any]) -> CaseLine:
    promised = row["promised_on"]
    day = date.fromisoformat(promised) if isinstance(promised, str) else promised
    return CaseLine(**{**row, "submitted_at": as_utc(row["submitted_at"]), "promised_on": day})


async def cases(
    needs: Needs,
    *,
    scope: Scope,
    state: str | None = None,
    before: str | None = None,
    limit: int = 20,
) -> list[CaseLine]:
    """The newest cases first; `before` is the last id of the page before."""
    where, values = within(scope.districts)
    if state is not None:
        where, values = f"{where} AND state = ?", [*values, state]
    if before is not None:
        where, values = f"{where} AND id < ?", [*values, before]
    rows = await fetch(
        f"SELECT {_LINE} FROM registry_case WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608 - our own texts
        [*values, limit],
    )
    return [_line(row) for row in rows]


async def case(needs: Needs, *, scope: Scope, case_id: str) -> CaseRecord:
    """CASE_NOT_FOUND also for a case of another district."""
    where, values = within(scope.districts)
    row = await fetch_one(
        f"SELECT {_LINE} FROM registry_case WHERE {where} AND id = ?",  # noqa: S608 - our own texts
        [*values, case_id],
    )
    if row is None:
        raise CaseNotFound
    line = _line(row)
    procedure = await needs.procedures.of(
        business_type=line.business_type, district=line.district, version=line.catalogue_version
    )
    materials = await RegistryMaterial.filter(case_id=case_id).order_by("position")
    tracks = await RegistryTrack.filter(case_id=case_id).order_by("position")
    found = await RegistryCase.get(id=case_id)
    entries = [_entry(needs, entry) for entry in await RegistryCaseEntry.filter(case_id=case_id).order_by("position")]
    waits_for = await _waits_for(needs, found)
    step = step_of(line.state, review=next((track.state for track in tracks if track.code == REVIEW), None))
    parties = [party for entry in entries for party in entry.parties]
    return CaseRecord(
        line=line,
        business_name=procedure.name,
        entries=tuple(entries),
        materials=tuple(_material(row) for row in materials),
        tracks=tuple(TrackLine(track.code, track.name, track.state) for track in tracks),
        waits_for=tuple(waits_for),
        opinions=tuple(procedure.opinions(step)) if step else (),
        attention=tuple(_attention(procedure, parties, confirmations_of(needs.cipher, found))),
    )


def _material(row: RegistryMaterial) -> MaterialLine:
    names = MaterialLine.__slots__
    return MaterialLine(**{name: getattr(row, name) for name in names})


def _attention(
    procedure: Procedure, parties: Sequence[Party], confirmations: Sequence[Mapping[str, Any]]
) -> Iterator[Attention]:
    by_number = {party.id_number: party for party in reversed(parties)}
    for record in map(answered, confirmations):
        unexpected = procedure.unexpected({each.code: each.answer for each in record.answers})
        for each in record.answers:
            if each.code in unexpected:
                yield Attention(by_number.get(record.id_number), each.question, each.answer_text)


def _entry(needs: Needs, entry: RegistryCaseEntry) -> EntryLine:
    return EntryLine(
        position=entry.position,
        business_type=entry.business_type,
        registration_type=entry.registration_type,
        right_type=entry.right_type,
        unit_code=entry.unit_code,
        certificate_number=entry.certificate_number,
        parties=parties_of(needs.cipher, entry),
    )


async def _waits_for(needs: Needs, found: RegistryCase) -> list[Blocker]:
    """What holds up the next gate of a running case; nothing before acceptance and after the end."""
    if found.state == CaseState.ACCEPTED:
        return await blockers(needs, found, gate="entry")
    if found.state == CaseState.ENTERED:
        return await blockers(needs, found, gate="certificate")
    return []


async def unit(needs: Needs, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
    """The unit whose current right this certificate is for; None when they do not belong together."""
    found = await RegistryUnit.get_or_none(unit_code=unit_code)
    if found is None:
        return None
    rights = await RegistryRight.filter(unit_id=found.id, state=RightState.CURRENT).order_by("id")
    for right in rights:
        holders = await RegistryHolder.filter(right_id=right.id).order_by("position")
        if certificate_number in {holder.certificate_number for holder in holders}:
            return _unit_record(needs, found, right, holders, certificate_number, encumbered=len(rights) > 1)
    return None


def _unit_record(
    needs: Needs,
    found: RegistryUnit,
    right: RegistryRight,
    holders: Sequence[RegistryHolder],
    certificate_number: str,
    *,
    encumbered: bool,
) -> UnitRecord:
    return UnitRecord(
        unit_code=found.unit_code,
        district=found.district,
        location=location_of(needs.cipher, found),
        usage=found.usage,
        usage_text=HouseUsage(found.usage).text,
        right_type=right.right_type,
        area_centiare=found.building_area or found.land_area or 0,
        certificate_number=certificate_number,
        co_ownership=right.co_ownership,
        held_since=right.held_since,
        version=right.version,
        encumbered=encumbered,
        owners=tuple(owner_of(needs.cipher, holder) for holder in holders),
    )


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """What an officer wrote to the parties of a case; `sent_at` is None while it is on its way."""

    id: str
    text: str
    pushed_at: datetime
    sent_at: datetime | None


_NOTICE = "SELECT id, body_sealed, created_at, sent_at FROM registry_message WHERE kind = 'notice'"


async def notices(
    needs: Needs, *, scope: Scope, case_id: str, before: str | None = None, limit: int = 20
) -> list[NoticeLine]:
    """What the parties of a case were written, newest first; CASE_NOT_FOUND also for another district's case."""
    where, values = within(scope.districts)
    row = await fetch_one(
        f"SELECT application_id FROM registry_case WHERE id = ? AND {where}",  # noqa: S608 - our own texts
        [case_id, *values],
    )
    if row is None:
        raise CaseNotFound
    rows = await fetch(
        f"{_NOTICE} AND application_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        [row["application_id"], before or "~", limit],
    )
    return [_notice(needs, each) for each in rows]


async def notice(needs: Needs, *, notice_id: str) -> NoticeLine:
    """One push by its id; LookupError when there is none."""
    row = await fetch_one(f"{_NOTICE} AND id = ?", [notice_id])
    if row is None:
        raise LookupError("no such notice")
    return _notice(needs, row)


def _notice(needs: Needs, row: dict[str, Any]) -> NoticeLine:
    body = needs.cipher.open_json(row["body_sealed"], (MESSAGE_BODY, row["id"]))
    sent = as_utc(row["sent_at"]) if row["sent_at"] else None
    return NoticeLine(row["id"], body["text"], as_utc(row["created_at"]), sent)


async def case_numbered(needs: Needs, *, number: str) -> str:
    """The id of the case with this case number or application number; CASE_NOT_FOUND."""
    row = await fetch_one(
        "SELECT id FROM registry_case WHERE case_number = ? OR application_number = ? ORDER BY id DESC LIMIT 1",
        [number, number],
    )
    if row is None:
        raise CaseNotFound
    return str(row["id"])
