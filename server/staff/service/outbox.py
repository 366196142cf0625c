from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.outbox.queries import unpark
from server.staff.errors import ParkedRowNotFound
from server.staff.ports import Needs


@transactional
async def replay_parked(needs: Needs, *, staff_id: str, row_id: str, key: RequestKey | None = None) -> str:
    """Let a message that was set aside be tried again; answers its id. Error: PARKED_ROW_NOT_FOUND."""
    now = needs.clock.now()
    if not await unpark(row_id=row_id, now=now):
        raise ParkedRowNotFound
    await record(actor=Actor("staff", staff_id), action="outbox.replayed", subject=("outbox", row_id), at=now)
    if key is not None:
        await key.settle(result_id=row_id, status=200)
    return row_id
