from kit.audit.service import Actor
from kit.db import transactional
from kit.idempotency import RequestKey
from server.appointments.events import Cancelled
from server.appointments.ports import Needs
from server.appointments.rules import BookingState, check_cancellable
from server.appointments.service.rows import deed, give_back, lock_mine, save


@transactional
async def cancel(needs: Needs, *, booking_id: str, resident_id: str, key: RequestKey | None = None) -> str:
    """Give the place back, once; APPOINTMENT_CANCELLED, APPOINTMENT_USED, APPOINTMENT_OVER, HOLD_EXPIRED."""
    row = await lock_mine(booking_id, resident_id)
    now, was = needs.clock.now(), BookingState(row.state)
    check_cancellable(was, starts_at=row.starts_at, now=now)
    row.state, row.active_key, row.hold_until, row.ended_at = BookingState.CANCELLED, None, None, now
    await save(needs, row, "state", "active_key", "hold_until", "ended_at")
    await give_back(row.slot_id)
    await deed(row, by=Actor("resident", resident_id), action="cancelled", at=now)
    if was is BookingState.BOOKED:
        await needs.outbox.publish(Cancelled(row.id))
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id
