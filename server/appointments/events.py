from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class _OfBooking(Event):
    """One appointment's events are handled in the order they happened."""

    booking_id: str

    @property
    def ordering_key(self) -> str:
        return self.booking_id


@dataclass(frozen=True, slots=True)
class Booked(_OfBooking):
    """Confirmed; a hold alone tells nobody."""

    name: ClassVar[str] = "appointments.booked"


@dataclass(frozen=True, slots=True)
class Cancelled(_OfBooking):
    """By the resident, after it had been confirmed."""

    name: ClassVar[str] = "appointments.cancelled"


@dataclass(frozen=True, slots=True)
class CancelledByOffice(_OfBooking):
    """The office does not open on that day."""

    name: ClassVar[str] = "appointments.cancelled_by_office"


@dataclass(frozen=True, slots=True)
class DayClosed(Event):
    """An office was closed for a day: whoever has booked it is to be freed and told."""

    name: ClassVar[str] = "appointments.day_closed"

    closure_id: str

    @property
    def ordering_key(self) -> str:
        return self.closure_id
