"""Who is told what of an appointment: its one person, once for each occasion."""

from kit.clock import time_text
from notifications import service as notifications
from notifications.fields import DASH
from server.appointments import queries as appointments
from server.appointments.events import Booked, Cancelled, CancelledByOffice
from server.journeys.house import House


async def booked(house: House, event: Booked) -> None:
    """When and where, with the number that will be called out."""
    await _tell(house, event.booking_id, "appointment_booked")


async def cancelled(house: House, event: Cancelled) -> None:
    await _tell(house, event.booking_id, "appointment_cancelled")


async def office_closed(house: House, event: CancelledByOffice) -> None:
    """The office took it back, not they; why stands in the inbox alone, in words that everybody may read."""
    await _tell(house, event.booking_id, "appointment_office_closed")


async def _tell(house: House, booking_id: str, template: str) -> None:
    booking = await appointments.told(house.appointments, booking_id=booking_id)
    office = await appointments.office_of(house.appointments, office_id=booking.office_id)
    group = office.plan.group(booking.business_group)
    params = {
        "business": f"{group.name if group else ''}窗口预约",
        "number": booking.number or DASH,
        "time": time_text(booking.starts_at),
        "office": office.name,
        "reason": booking.ended_reason or DASH,
        "appointment_id": booking.id,
    }
    await notifications.tell(
        house.notifications,
        recipient=booking.resident_id,
        template=template,
        params=params,
        dedupe_key=f"{template}:{booking.id}",
    )
