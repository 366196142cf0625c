import base64
import secrets

from kit.audit.service import Actor
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.sequences.service import next_number
from server.appointments.events import Booked
from server.appointments.models import PASS_AT, AppointmentSlot, Booking
from server.appointments.ports import Needs
from server.appointments.queries import office_of
from server.appointments.rules import BookingState, check_confirmable, pass_hash, visit_number
from server.appointments.service.rows import deed, lock_mine, save

NUMBERS = "visit"
_PASS_BYTES = 20  # 32 characters of base32, without padding


async def confirm(needs: Needs, *, booking_id: str, resident_id: str, key: RequestKey | None = None) -> str:
    """Make the held place an appointment with a number and a pass.

    HOLD_EXPIRED, APPOINTMENT_ALREADY_CONFIRMED, APPOINTMENT_CANCELLED, SLOT_PAST, DAY_CLOSED.
    """
    row = await Booking.filter(id=booking_id, resident_id=resident_id).first()
    letter = "X" if row is None else await _letter(needs, row)
    return await _confirm(needs, booking_id=booking_id, resident_id=resident_id, letter=letter, key=key)


async def _letter(needs: Needs, row: Booking) -> str:
    group = (await office_of(needs, office_id=row.office_id)).plan.group(row.business_group)
    return group.letter if group is not None else "X"  # a group that the office has given up since


@transactional
async def _confirm(needs: Needs, *, booking_id: str, resident_id: str, letter: str, key: RequestKey | None) -> str:
    row = await lock_mine(booking_id, resident_id)
    slot = await AppointmentSlot.get(id=row.slot_id)
    now = needs.clock.now()
    check_confirmable(
        BookingState(row.state), hold_until=row.hold_until, starts_at=row.starts_at, closed=slot.closed, now=now
    )
    row.state, row.hold_until, row.booked_at = BookingState.BOOKED, None, now
    row.number = await _number(row, letter)
    _issue_pass(needs, row)
    await save(needs, row, "state", "hold_until", "booked_at", "number", "pass_hash", "pass_sealed")
    await deed(row, by=Actor("resident", resident_id), action="booked", at=now)
    await needs.outbox.publish(Booked(row.id))
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id


async def _number(row: Booking, letter: str) -> str:
    """Counted for each office, day and letter."""
    count = await next_number(kind=NUMBERS, district=row.office_id, period=f"{row.day:%Y%m%d}:{letter}")
    return visit_number(letter, count)


def _issue_pass(needs: Needs, row: Booking) -> None:
    """Random, found by its hash, and sealed so that only its holder is shown it."""
    text = base64.b32encode(secrets.token_bytes(_PASS_BYTES)).decode("ascii")
    row.pass_hash = pass_hash(text)
    row.pass_sealed = needs.cipher.seal(text, (PASS_AT, row.id))
