"""An office that does not open on a day: no new bookings at once, then everybody who has one is freed and told."""

from datetime import date

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.appointments.errors import DayAlreadyClosed, OfficeNotFound
from server.appointments.events import CancelledByOffice, DayClosed
from server.appointments.models import Booking, Office, OfficeClosure
from server.appointments.ports import Needs
from server.appointments.rules import BookingState, check_closable
from server.appointments.service.rows import SYSTEM, close_slots, deed, give_back, save
from server.terms.scope import Scope

_LIVE = (BookingState.HELD, BookingState.BOOKED)


@transactional
async def close_day(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    office_id: str,
    day: date,
    reason: str,
    key: RequestKey | None = None,
) -> str:
    """Close an office for a day and answer the closure's id; OFFICE_NOT_FOUND, DAY_OVER, DAY_ALREADY_CLOSED."""
    # The row's lock keeps slots for this day from being made meanwhile.
    office = await Office.filter(id=office_id).select_for_update().first()
    if office is None or not scope.allows(office.district):
        raise OfficeNotFound
    now = needs.clock.now()
    check_closable(day, now=now)
    closure_id = new_id()
    try:
        await OfficeClosure.create(
            id=closure_id, office_id=office_id, day=day, reason=reason, closed_by=staff_id, created_at=now
        )
    except IntegrityError as error:
        raise DayAlreadyClosed from error
    await close_slots(office_id, day)
    await record(
        actor=Actor("staff", staff_id),
        action="appointments.day_closed",
        subject=("office", office_id),
        reason=reason,
        details={"day": day.isoformat()},
        at=now,
    )
    await needs.outbox.publish(DayClosed(closure_id))
    if key is not None:
        await key.settle(result_id=closure_id, status=201)
    return closure_id


async def clear_day(needs: Needs, *, closure_id: str) -> int:
    """Cancel what is booked on a closed day, each in a transaction of its own, and say how many; safe to repeat."""
    closure = await OfficeClosure.get(id=closure_id)
    live = await Booking.filter(office_id=closure.office_id, day=closure.day, state__in=_LIVE).order_by("id")
    cancelled = sum([await _cancel(needs, booking_id=row.id, reason=closure.reason) for row in live])
    await OfficeClosure.filter(id=closure_id, cleared_at__isnull=True).update(cleared_at=needs.clock.now())
    return cancelled


@transactional
async def _cancel(needs: Needs, *, booking_id: str, reason: str) -> bool:
    row = await Booking.filter(id=booking_id).select_for_update().get()
    was, now = BookingState(row.state), needs.clock.now()
    if not was.live:
        return False
    row.state, row.active_key, row.hold_until = BookingState.CANCELLED, None, None
    row.ended_at, row.ended_reason = now, reason
    await save(needs, row, "state", "active_key", "hold_until", "ended_at", "ended_reason")
    await give_back(row.slot_id)
    await deed(row, by=SYSTEM, action="cancelled_by_office", at=now, reason=reason)
    if was is BookingState.BOOKED:  # who was still choosing is told on the page that they are looking at
        await needs.outbox.publish(CancelledByOffice(row.id))
    return True
