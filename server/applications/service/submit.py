from kit.clock import local_date
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.sequences.service import next_number
from server.applications.errors import ConfirmationsMissing
from server.applications.events import Submitted
from server.applications.models import Application, ApplicationClaim, ApplicationMaterial
from server.applications.ports import Needs
from server.applications.requirements import Requirements
from server.applications.rules import (
    check_materials,
    check_submittable,
    filled_slots,
    missing_materials,
    receipt_number,
)
from server.applications.service.claim import claim_units
from server.applications.service.rows import deed, lock_for, save, step
from server.applications.states import PartyState, State

NUMBERS = "application"


@transactional
async def submit(needs: Needs, *, application_id: str, resident_id: str, key: RequestKey | None = None) -> str:
    """Send the application on its way to the registry and give it its receipt number (收件编号).

    One that comes back from a correction keeps its number. CONFIRMATIONS_MISSING, MATERIALS_MISSING, UNIT_CLAIMED,
    ALREADY_SUBMITTED, NOT_AWAITING_CONFIRMATION.
    """
    row, parties = await lock_for(application_id, resident_id)
    check_submittable(State(row.state), number=row.number)
    if any(party.state != PartyState.CONFIRMED for party in parties):
        raise ConfirmationsMissing
    requirements = Requirements.from_json(row.requirements)
    files = await ApplicationMaterial.filter(application_id=row.id)
    ids = [each.id for each in parties]
    given = [(file.code, file.party_key or None, file.origin) for file in files]
    there = filled_slots(requirements, parties=ids, files=given)
    check_materials(missing_materials(requirements, parties=ids, uploaded=there), {})
    now = needs.clock.now()
    if not await ApplicationClaim.filter(application_id=row.id, expires_at__gt=now).exists():
        # It has run out since the owners confirmed: theirs again unless somebody else took it.
        await claim_units(needs, row, requirements, resident_id=resident_id)
    row.number = row.number or await _number(needs, row)
    row.state, row.submitted_at, row.expires_at = State.SUBMITTED, now, None
    await save(needs, row, "number", "state", "submitted_at", "expires_at")
    await step(row, code="submitted", name="已提交，取得收件回执", at=now, note=f"收件编号 {row.number}")
    await deed(needs, row, by=resident_id, action="submitted", number=row.number)
    await needs.outbox.publish(Submitted(row.id))
    if key is not None:
        await key.settle(result_id=row.id, status=201)
    return row.id


async def _number(needs: Needs, row: Application) -> str:
    today = local_date(needs.clock.now())
    count = await next_number(kind=NUMBERS, district=row.district, period=f"{today:%Y%m%d}")
    return receipt_number(district=row.district, on=today, count=count)
