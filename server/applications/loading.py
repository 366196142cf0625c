"""From rows to records: opens what is sealed, once, in the order people see it."""

from collections import defaultdict
from typing import Any

from kit.crypto.cipher import Cipher
from server.applications.models import (
    Application,
    ApplicationConfirmation,
    ApplicationEntry,
    ApplicationMaterial,
    ApplicationParty,
    ApplicationRole,
    ApplicationTax,
    ApplicationTrack,
)
from server.applications.records import (
    ApplicationRecord,
    ConfirmationRecord,
    EntryRecord,
    FileRecord,
    PartyRecord,
    RoleRecord,
    TaxRecord,
    TrackRecord,
    Unit,
)
from server.applications.requirements import Requirements
from server.applications.states import Origin, PartyState, State
from server.terms.codes import PartyRole
from server.terms.share import Share

UNIT = "applications_entry.unit_sealed"
NAME = "applications_party.name_sealed"
ID_NUMBER = "applications_party.id_number_sealed"
PHONE = "applications_party.phone_sealed"
NOTICE = "applications_application.notice_sealed"
STEP_NOTE = "applications_step.note_sealed"
ANSWERS = "applications_confirmation.answers_sealed"
STATEMENT = "applications_confirmation.statement_sealed"
SIGNATURE = "applications_confirmation.signature_sealed"

_BEFORE_ACCEPTANCE = frozenset({State.DRAFT, State.AWAITING_CONFIRMATION, State.SUBMITTED})


async def load(cipher: Cipher, row: Application) -> ApplicationRecord:
    """Everything but the confirmations; six SELECTs, four before acceptance."""
    state = State(row.state)
    entries = await ApplicationEntry.filter(application_id=row.id).order_by("position")
    parties = await load_parties(cipher, row.id, entries)
    files = await ApplicationMaterial.filter(application_id=row.id).order_by("code", "id")
    # Tracks and taxes begin with the acceptance: before it there is nothing to ask for.
    began = state not in _BEFORE_ACCEPTANCE
    tracks = await ApplicationTrack.filter(application_id=row.id).order_by("position") if began else []
    taxes = await ApplicationTax.filter(application_id=row.id).order_by("payer", "tax") if began else []
    return ApplicationRecord(
        **_own(cipher, row),
        entries=tuple(_entry(cipher, entry) for entry in entries),
        parties=parties,
        files=tuple(file_record(each) for each in files),
        tracks=tuple(TrackRecord(each.code, each.name, each.state) for each in tracks),
        taxes=tuple(TaxRecord(each.tax, each.payer, each.amount_fen) for each in taxes),
    )


def _own(cipher: Cipher, row: Application) -> dict[str, Any]:
    """The columns of the application's own row."""
    same = (
        "id, district, mode, origin, version, price_fen, sole_home_over_five_years, opened_by, hold, number, "
        "case_number, created_at, expires_at, submitted_at, accepted_at, promised_on, entered_at, certificate_id, "
        "tax_declaration_no, tax_certificate_no, tax_cleared_at, fee_order_id, fee_amount_fen, fee_paid_at, "
        "fee_transaction_id"
    )
    columns = {name: getattr(row, name) for name in same.split(", ")}
    columns["state"] = State(row.state)
    columns["requirements"] = Requirements.from_json(row.requirements)
    columns["notice"] = cipher.open_json(row.notice_sealed, (NOTICE, row.id)) if row.notice_sealed else None
    return columns


def _entry(cipher: Cipher, row: ApplicationEntry) -> EntryRecord:
    unit = Unit.from_data(cipher.open_json(row.unit_sealed, (UNIT, row.id)))
    return EntryRecord(row.id, row.position, row.business_type, row.registration_type, row.right_type, unit)


async def load_parties(cipher: Cipher, application_id: str, entries: list[ApplicationEntry]) -> tuple[PartyRecord, ...]:
    """The parties in clear, with their roles in `entries`."""
    positions = {entry.id: entry.position for entry in entries}
    roles: dict[str, list[RoleRecord]] = defaultdict(list)
    for row in await ApplicationRole.filter(entry_id__in=list(positions)):
        share = Share(row.share_numerator, row.share_denominator or 1) if row.share_numerator else None
        roles[row.party_id].append(RoleRecord(positions[row.entry_id], PartyRole(row.role), share))
    rows = await ApplicationParty.filter(application_id=application_id).order_by("position")
    return tuple(_party(cipher, row, roles[row.id]) for row in rows)


def _party(cipher: Cipher, row: ApplicationParty, roles: list[RoleRecord]) -> PartyRecord:
    return PartyRecord(
        id=row.id,
        position=row.position,
        kind=row.kind,
        name=cipher.open(row.name_sealed, (NAME, row.id)),
        id_kind=row.id_kind,
        id_number=cipher.open(row.id_number_sealed, (ID_NUMBER, row.id)),
        phone=cipher.open(row.phone_sealed, (PHONE, row.id)) if row.phone_sealed else None,
        registered_owner=row.registered_owner,
        resident_id=row.resident_id,
        state=PartyState(row.state),
        roles=tuple(sorted(roles, key=lambda role: role.entry_position)),
    )


def file_record(row: ApplicationMaterial) -> FileRecord:
    return FileRecord(
        id=row.id,
        code=row.code,
        party_id=row.party_key or None,
        digest=row.digest,
        mime=row.mime,
        size=row.size,
        origin=Origin(row.origin),
        source=row.source,
        evidence_id=row.evidence_id,
    )


async def load_confirmations(cipher: Cipher, application_id: str) -> tuple[ConfirmationRecord, ...]:
    """What has been confirmed, with the statements; answers not yet confirmed are left out."""
    rows = await ApplicationConfirmation.filter(
        application_id=application_id, confirmed_at__isnull=False, statement_sealed__isnull=False
    ).order_by("confirmed_at", "id")
    return tuple(
        ConfirmationRecord(
            party_id=row.party_id,
            digest=row.digest,
            face_check_id=row.face_check_id or "",
            confirmed_at=row.confirmed_at,
            statement=cipher.open_json(row.statement_sealed or "", (STATEMENT, row.id)),
        )
        for row in rows
        if row.confirmed_at is not None
    )
