"""The verbs of appointments, each in its own transaction."""

from server.appointments.service.cancel import cancel
from server.appointments.service.check_in import check_in
from server.appointments.service.close_day import clear_day, close_day
from server.appointments.service.confirm import confirm
from server.appointments.service.hold import hold
from server.appointments.service.offices import load_offices
from server.appointments.service.release import release_slots
from server.appointments.service.tidy import expire_due, mark_missed

__all__ = [
    "cancel",
    "check_in",
    "clear_day",
    "close_day",
    "confirm",
    "expire_due",
    "hold",
    "load_offices",
    "mark_missed",
    "release_slots",
]
