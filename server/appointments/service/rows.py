"""What every verb does with an appointment's row: lock it first, save it with a new version, write the deed down."""

from datetime import date, datetime

from kit.audit.service import Actor, record
from kit.db import execute
from server.appointments.errors import AppointmentNotFound
from server.appointments.models import Booking
from server.appointments.ports import Needs

SYSTEM = Actor("system", "appointments")


async def lock_mine(booking_id: str, resident_id: str) -> Booking:
    """The resident's appointment, locked until the transaction ends; APPOINTMENT_NOT_FOUND."""
    row = await Booking.filter(id=booking_id, resident_id=resident_id).select_for_update().first()
    if row is None:
        raise AppointmentNotFound
    return row


async def save(needs: Needs, row: Booking, *columns: str) -> None:
    """Write the changed columns; the version rises with every change."""
    row.version += 1
    row.updated_at = needs.clock.now()
    await row.save(update_fields=[*columns, "version", "updated_at"])


async def deed(row: Booking, *, by: Actor, action: str, at: datetime, reason: str | None = None) -> None:
    await record(
        actor=by,
        action=f"appointments.{action}",
        subject=("appointment", row.id),
        reason=reason,
        details={"slot_id": row.slot_id, "number": row.number},
        at=at,
    )


async def give_back(slot_id: str) -> None:
    """One place of the slot is free again; only for whoever has just ended a booking that had it."""
    changed = await execute("UPDATE appointments_slot SET booked = booked - 1 WHERE id = ? AND booked > 0", [slot_id])
    if changed != 1:
        raise RuntimeError("a place is given back that nobody had")


async def close_slots(office_id: str, day: date) -> int:
    """Nobody can take a place on this day from now on; how many slots it had."""
    return await execute(
        "UPDATE appointments_slot SET closed = 1 WHERE office_id = ? AND day = ?", [office_id, day.isoformat()]
    )
