"""How an application ends before the registry has decided: withdrawn by a party, or by time."""

from kit.db import transactional
from kit.idempotency import RequestKey
from server.applications.events import Expired, Withdrawn
from server.applications.models import Application
from server.applications.ports import Needs
from server.applications.rules import check_withdrawable, may_expire, registry_knows
from server.applications.service.rows import deed, lock, lock_for, release_claims, save, step
from server.applications.states import State


@transactional
async def withdraw(needs: Needs, *, application_id: str, resident_id: str, key: RequestKey | None = None) -> str:
    """Take the application back before it is accepted; NOT_WITHDRAWABLE, PAYMENT_IN_PROGRESS."""
    row, _ = await lock_for(application_id, resident_id)
    state = State(row.state)
    check_withdrawable(state, row.hold)
    row.state, row.expires_at = State.WITHDRAWN, None
    await release_claims(row.id)
    await save(needs, row, "state", "expires_at")
    await step(row, code="withdrawn", name="申请已撤回", at=needs.clock.now())
    await deed(needs, row, by=resident_id, action="withdrawn", was=str(state))
    if registry_knows(state, row.number):
        await needs.outbox.publish(Withdrawn(row.id))
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id


async def expire_due(needs: Needs, *, limit: int = 100) -> int:
    """Let what was not confirmed or submitted in time expire, and say how many; for the worker's timer."""
    due = await Application.filter(
        state__in=[State.DRAFT, State.AWAITING_CONFIRMATION], expires_at__lte=needs.clock.now(), hold__isnull=True
    ).limit(limit)
    return sum([await _expire(needs, application_id=row.id) for row in due])


@transactional
async def _expire(needs: Needs, *, application_id: str) -> bool:
    row = await lock(application_id)
    now = needs.clock.now()
    if not may_expire(State(row.state), expires_at=row.expires_at, hold=row.hold, now=now):
        return False
    row.state, row.expires_at = State.EXPIRED, None
    await release_claims(row.id)
    await save(needs, row, "state", "expires_at")
    await step(row, code="expired", name="逾期未完成，申请失效", at=now)
    await needs.outbox.publish(Expired(row.id))
    return True
