from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.clock import local_date, rfc3339
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from kit.sequences.service import next_number
from server.registry import rules
from server.registry.errors import UnitOccupied
from server.registry.gates import procedure_of
from server.registry.models import (
    RegistryCase,
    RegistryCaseEntry,
    RegistryClaim,
    RegistryMaterial,
    RegistryRight,
    RegistryTrack,
    RegistryUnit,
)
from server.registry.ports import Needs
from server.registry.rules import CaseState, RightState
from server.registry.sealed import location_of, parties_of
from server.registry.service.decision import begin, decide, entries_of, save
from server.registry.service.messages import tell
from server.registry.service.standing import locked_units, standing_right
from server.terms.scope import Scope


@transactional
async def accept(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    case_id: str,
    opinion: str,
    version: int | None = None,
    key: RequestKey | None = None,
) -> None:
    """Accept a case (受理): number, promised day, claim on every right it changes, voucher to the platform.

    Errors: CASE_NOT_FOUND, CASE_STALE, CASE_STATE_WRONG, REGISTER_CHANGED, SHARES_WRONG, UNIT_OCCUPIED.
    """
    case, now = await begin(needs, action="acceptance", case_id=case_id, scope=scope, version=version)
    entries = await entries_of(case)
    units = await locked_units(case, entries)
    for entry in entries:
        await _check_entry(needs, case, entry, units[entry.unit_code])
        await _claim(case, entry, now)
    procedure = await procedure_of(needs, case, case.business_type)
    day = local_date(now)
    serial = await next_number(kind="case", district=case.district, period=f"{day:%Y%m%d}")
    case.case_number = rules.case_number(day=day, district=case.district, serial=serial)
    case.accepted_at, case.promised_on = now, procedure.promised_on(day)
    case.state = CaseState.ACCEPTED
    await save(case, now=now)
    await RegistryTrack.filter(case_id=case.id, state=rules.NOT_STARTED).update(state=rules.OPEN, updated_at=now)
    await decide(
        needs, case, kind="acceptance", result="accepted", content={"opinion": opinion}, staff_id=staff_id, key=key
    )
    materials = await RegistryMaterial.filter(case_id=case.id).order_by("position")
    voucher = rules.acceptance_voucher(
        business=procedure.name,
        case_number=case.case_number,
        accepted_at=rfc3339(now),
        promised_on=case.promised_on.isoformat(),
        locations=[location_of(needs.cipher, unit) for unit in units.values()],
        materials=[(material.code, material.name) for material in materials],
        officer=staff_id,
    )
    body = {"application_id": case.application_id, **voucher}
    await tell(needs, kind="acceptance", subject=case.id, application_id=case.application_id, body=body)


async def _check_entry(needs: Needs, case: RegistryCase, entry: RegistryCaseEntry, unit: RegistryUnit) -> None:
    """What the applicant's phone saw is looked at again, and so is what else happens on the unit."""
    right = await standing_right(needs, entry, unit)
    rules.co_ownership(rules.right_holders(parties_of(needs.cipher, entry)))
    procedure = await procedure_of(needs, case, entry.business_type)
    running = await RegistryCaseEntry.filter(unit_code=entry.unit_code, case__state=CaseState.ACCEPTED).exclude(
        case_id=case.id
    )
    registered = await RegistryRight.filter(unit_id=unit.id, state=RightState.CURRENT).exclude(id=right.id)
    found = [(other.entry_kind, False) for other in running] + [(other.entry_kind, True) for other in registered]
    for kind, is_registered in found:
        reason = procedure.refused_by(kind, registered=is_registered)
        if reason is not None:
            raise UnitOccupied(reason)


async def _claim(case: RegistryCase, entry: RegistryCaseEntry, now: datetime) -> None:
    try:
        await RegistryClaim.create(
            id=new_id(), unit_code=entry.unit_code, right_type=entry.right_type, case_id=case.id, taken_at=now
        )
    except IntegrityError as error:
        raise UnitOccupied from error
