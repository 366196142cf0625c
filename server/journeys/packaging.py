"""The case package: everything the registry needs to decide by itself, put together from the application."""

from collections.abc import Mapping
from typing import Any

from kit.clock import rfc3339
from server.applications import queries
from server.applications.records import ApplicationRecord, ConfirmationRecord, EntryRecord, FileRecord, PartyRecord
from server.journeys.evidencing import package_facts
from server.journeys.house import House
from server.terms.share import Share


async def build_package(house: House, application_id: str) -> dict[str, Any]:
    """The body of a `case_package` or `correction`; RuntimeError for an application that was not submitted."""
    record = await queries.full(house.applications, application_id=application_id)
    if record.number is None or record.submitted_at is None:
        raise RuntimeError("only a submitted application goes to the registry")
    positions = {party.id: party.position for party in record.parties}
    shared = await package_facts(house, record)
    return {
        "application_id": record.id,
        "number": record.number,
        "district": record.district,
        "mode": record.mode,
        "origin": record.origin,
        "catalogue_version": record.requirements.version,
        "submitted_at": record.submitted_at.isoformat(),
        "price_fen": record.price_fen,
        "entries": [_entry(record, entry) for entry in record.entries],
        "materials": [
            {**_material(file, positions), **shared.get(file.evidence_id or "", {})} for file in record.files
        ],
        "confirmations": [_confirmation(each, positions) for each in record.confirmations],
    }


def _entry(record: ApplicationRecord, entry: EntryRecord) -> dict[str, Any]:
    return {
        "position": entry.position,
        "business_type": entry.business_type,
        "registration_type": entry.registration_type,
        "right_type": entry.right_type,
        "unit_code": entry.unit.unit_code,
        "certificate_number": entry.unit.certificate_number,
        "register_version": entry.unit.version,
        "parties": [
            _party(party, role.role.value, role.share)
            for party in record.parties
            for role in party.roles
            if role.entry_position == entry.position
        ],
    }


def _party(party: PartyRecord, role: str, share: Share | None) -> dict[str, Any]:
    return {
        "role": role,
        "kind": party.kind,
        "name": party.name,
        "id_kind": party.id_kind,
        "id_number": party.id_number,
        "phone": party.phone or "",
        "share_numerator": share.numerator if share else None,
        "share_denominator": share.denominator if share else None,
    }


def _material(file: FileRecord, positions: Mapping[str, int]) -> dict[str, Any]:
    return {
        "code": file.code,
        "party_position": positions[file.party_id] if file.party_id else None,
        "digest": file.digest,
        "mime": file.mime,
        "size": file.size,
    }


def _confirmation(confirmation: ConfirmationRecord, positions: Mapping[str, int]) -> dict[str, Any]:
    return {
        "party_position": positions[confirmation.party_id],
        "digest": confirmation.digest,
        "confirmed_at": rfc3339(confirmation.confirmed_at),
        "face_check_id": confirmation.face_check_id,
        "statement": confirmation.statement,
    }
