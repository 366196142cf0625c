from datetime import datetime

from kit.clock import local_date, rfc3339
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.registry import rules
from server.registry.events import Entered
from server.registry.gates import blockers, procedure_of
from server.registry.models import (
    RegistryCase,
    RegistryCaseEntry,
    RegistryClaim,
    RegistryHolder,
    RegistryRegisterEntry,
    RegistryRight,
    RegistryUnit,
)
from server.registry.package import Party
from server.registry.ports import Needs
from server.registry.rules import CaseState, RightState
from server.registry.sealed import parties_of, seal_holder
from server.registry.service.decision import begin, decide, entries_of, save
from server.registry.service.messages import tell
from server.registry.service.standing import locked_units, standing_right
from server.terms.scope import Scope


@transactional
async def enter(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    case_id: str,
    version: int | None = None,
    key: RequestKey | None = None,
) -> None:
    """Enter all of a case's rights in the register (登簿), in order and in this one transaction.

    Errors: CASE_NOT_FOUND, CASE_STALE, CASE_STATE_WRONG, REVIEW_NOT_PASSED, TAX_NOT_CLEARED, FEE_NOT_SETTLED,
    REGISTER_CHANGED. Complete once written: 不动产登记暂行条例第21条.
    """
    case, now = await begin(needs, action="entry", case_id=case_id, scope=scope, version=version)
    rules.check_unblocked(await blockers(needs, case, gate="entry"))
    entries = await entries_of(case)
    units = await locked_units(case, entries)
    for entry in entries:
        await _enter_one(needs, case, entry, units[entry.unit_code], staff_id, now)
    await RegistryClaim.filter(case_id=case.id).delete()
    case.state, case.entered_at = CaseState.ENTERED, now
    await save(case, now=now)
    await decide(
        needs, case, kind="entry", result="entered", content={"entries": len(entries)}, staff_id=staff_id, key=key
    )
    body = {"application_id": case.application_id, "entered_at": rfc3339(now)}
    await tell(needs, kind="entered", subject=case.id, application_id=case.application_id, body=body)
    await needs.outbox.publish(Entered(case.id, case.application_id))


async def _enter_one(
    needs: Needs, case: RegistryCase, entry: RegistryCaseEntry, unit: RegistryUnit, staff_id: str, now: datetime
) -> None:
    old = await standing_right(needs, entry, unit)
    old.state, old.current_of, old.ended_at = RightState.HISTORY, None, now
    old.version += 1
    old.updated_at = now
    await old.save()
    holders = rules.right_holders(parties_of(needs.cipher, entry))
    new = await add_right(
        needs,
        unit=unit,
        right_type=entry.right_type,
        entry_kind=entry.entry_kind,
        registration_type=entry.registration_type,
        holders=holders,
        price_fen=case.price_fen,
        previous_id=old.id,
        now=now,
    )
    procedure = await procedure_of(needs, case, entry.business_type)
    await RegistryRegisterEntry.create(
        id=new_id(),
        case_id=case.id,
        position=entry.position,
        case_number=case.case_number,
        unit_code=entry.unit_code,
        registration_type=entry.registration_type,
        rec_type=procedure.rec_type,
        old_right_id=old.id,
        new_right_id=new.id,
        entered_by=staff_id,
        entered_at=now,
    )


async def add_right(
    needs: Needs,
    *,
    unit: RegistryUnit,
    right_type: str,
    entry_kind: str,
    registration_type: str,
    holders: tuple[Party, ...],
    price_fen: int | None,
    previous_id: str | None,
    now: datetime,
) -> RegistryRight:
    """Write a right and its holders as the current one of its unit; SHARES_WRONG when they do not make the whole."""
    right = await RegistryRight.create(
        id=new_id(),
        unit_id=unit.id,
        right_type=right_type,
        entry_kind=entry_kind,
        registration_type=registration_type,
        co_ownership=rules.co_ownership(holders),
        state=RightState.CURRENT,
        current_of=f"{unit.id}:{right_type}",
        price_fen=price_fen,
        held_since=local_date(now),
        previous_id=previous_id,
        created_at=now,
        updated_at=now,
    )
    for position, party in enumerate(holders, start=1):
        await _add_holder(needs, right, position, party)
    return right


async def _add_holder(needs: Needs, right: RegistryRight, position: int, party: Party) -> None:
    holder_id = new_id()
    await RegistryHolder.create(
        id=holder_id,
        right_id=right.id,
        position=position,
        holder_type=rules.holder_type(party.kind),
        id_kind=party.id_kind,
        share_numerator=party.share_numerator,
        share_denominator=party.share_denominator,
        **seal_holder(needs.cipher, holder_id, party),
    )
