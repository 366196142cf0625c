"""A day on which an office does not open: whoever has booked it is freed."""

from server.appointments import service as appointments
from server.appointments.events import DayClosed
from server.journeys.house import House


async def clear_day(house: House, event: DayClosed) -> None:
    """Free everybody who has booked the closed day."""
    await appointments.clear_day(house.appointments, closure_id=event.closure_id)
