"""An office with slots on Monday 2026-11-23, the table of working days, and residents who are only ids."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.ids import new_id
from kit.outbox import Handler, Outbox
from server.appointments import content, events, service
from server.appointments.models import AppointmentSlot, Booking, Office
from server.appointments.ports import Needs
from server.catalogue.loading import shipped_calendar
from server.terms.scope import Scope
from server.terms.working_days import WorkCalendar
from tests.factories.identity import cipher

SUNDAY_NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FIRST_SLOT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""09:00 in Shanghai on the next working day."""
BUSINESS = "TRANSFER_RESALE"
HERE = Scope.of("320114")
CLERK = "0" * 31 + "c"


class ShippedDays:
    """Implements `ports.WorkingDays` from the file."""

    async def calendar(self) -> WorkCalendar:
        return shipped_calendar()


async def _listen(house: Any, event: Any) -> None:
    """Nobody handles in these tests; the row is what counts."""


EVENTS = (events.Booked, events.Cancelled, events.CancelledByOffice, events.DayClosed)


@dataclass
class Hall:
    """Offices, opened."""

    needs: Needs
    clock: FixedClock
    office: Office

    async def slot(self, *, group: str = "transfer", capacity: int | None = None) -> AppointmentSlot:
        """The first slot of Monday, made as small as asked for."""
        found = await AppointmentSlot.get(office_id=self.office.id, business_group=group, starts_at=FIRST_SLOT)
        if capacity is not None:
            found.capacity = capacity
            await found.save(update_fields=["capacity"])
        return found

    async def hold(self, slot: AppointmentSlot, resident_id: str | None = None) -> Booking:
        booking_id = await service.hold(
            self.needs, resident_id=resident_id or new_id(), slot_id=slot.id, business_type=BUSINESS
        )
        return await Booking.get(id=booking_id)

    async def book(self, slot: AppointmentSlot, resident_id: str | None = None) -> Booking:
        held = await self.hold(slot, resident_id)
        await service.confirm(self.needs, booking_id=held.id, resident_id=held.resident_id)
        return await Booking.get(id=held.id)

    def at(self, moment: datetime) -> None:
        self.clock.at = moment


async def hall(*, box: Cipher | None = None) -> Hall:
    """Both shipped offices with their slots; `office` is the one of 320114."""
    clock = FixedClock(SUNDAY_NOON)
    handlers = [Handler(f"test.{event.name}", event, _listen) for event in EVENTS]
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    needs = Needs(clock, outbox, box or cipher(), ShippedDays())
    await service.load_offices(needs, offices=content.shipped())
    return Hall(needs, clock, await Office.get(code="demo-320114"))


async def counted(slot: AppointmentSlot) -> tuple[int, int]:
    """The slot's counter, and the bookings that take a place of it."""
    rows = await Booking.filter(slot_id=slot.id, state__not_in=["cancelled", "expired"]).count()
    return (await AppointmentSlot.get(id=slot.id)).booked, rows
