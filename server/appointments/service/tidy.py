"""What time ends: holds nobody confirmed, appointments nobody came to."""

from collections.abc import Sequence

from kit.audit.service import record
from kit.db import execute, fetch, transactional
from server.appointments.ports import Needs
from server.appointments.rules import BookingState
from server.appointments.service.rows import SYSTEM, give_back

_AT_ONCE = 20
_LAPSED_HERE = (
    f"SELECT id FROM appointments_booking WHERE slot_id = ? AND state = ? AND hold_until <= ? LIMIT {_AT_ONCE}"  # noqa: S608 - a constant
)
_LAPSED = "SELECT id FROM appointments_booking WHERE state = ? AND hold_until <= ? ORDER BY hold_until LIMIT ?"
_MISSED = "SELECT id FROM appointments_booking WHERE state = ? AND ends_at < ? ORDER BY ends_at LIMIT ?"


async def give_back_lapsed(needs: Needs, *, slot_id: str) -> int:
    """End the slot's lapsed holds now, for somebody who finds it full; how many places that freed."""
    rows = await fetch(_LAPSED_HERE, [slot_id, BookingState.HELD.value, needs.clock.now()])
    return await _each(needs, [row["id"] for row in rows])


async def expire_due(needs: Needs, *, limit: int = 500) -> int:
    """End lapsed holds everywhere, and say how many; for the worker's timer."""
    rows = await fetch(_LAPSED, [BookingState.HELD.value, needs.clock.now(), limit])
    return await _each(needs, [row["id"] for row in rows])


async def _each(needs: Needs, booking_ids: Sequence[str]) -> int:
    return sum([await expire(needs, booking_id=booking_id) for booking_id in booking_ids])


@transactional
async def expire(needs: Needs, *, booking_id: str) -> bool:
    """End one lapsed hold and give its place back; False when it was confirmed or ended meanwhile."""
    now = needs.clock.now()
    changed = await execute(
        "UPDATE appointments_booking SET state = ?, active_key = NULL, ended_at = ?, updated_at = ?, "
        "version = version + 1 WHERE id = ? AND state = ? AND hold_until <= ?",
        [BookingState.EXPIRED.value, now, now, booking_id, BookingState.HELD.value, now],
    )
    if changed != 1:
        return False
    (row,) = await fetch("SELECT slot_id FROM appointments_booking WHERE id = ?", [booking_id])
    await give_back(row["slot_id"])
    await record(actor=SYSTEM, action="appointments.expired", subject=("appointment", booking_id), at=now)
    return True


async def mark_missed(needs: Needs, *, limit: int = 500) -> int:
    """Note who did not come to a slot that is over: they may book again; the place is used up."""
    rows = await fetch(_MISSED, [BookingState.BOOKED.value, needs.clock.now(), limit])
    return sum([await _miss(needs, booking_id=row["id"]) for row in rows])


@transactional
async def _miss(needs: Needs, *, booking_id: str) -> bool:
    now = needs.clock.now()
    changed = await execute(
        "UPDATE appointments_booking SET state = ?, active_key = NULL, ended_at = ?, updated_at = ?, "
        "version = version + 1 WHERE id = ? AND state = ?",
        [BookingState.MISSED.value, now, now, booking_id, BookingState.BOOKED.value],
    )
    if changed == 1:
        await record(actor=SYSTEM, action="appointments.missed", subject=("appointment", booking_id), at=now)
    return changed == 1
