"""What members of staff do about their accounts, and what operators do to messages that stopped."""

from server.staff.service.members import CreatedStaff, create, disable
from server.staff.service.outbox import replay_parked
from server.staff.service.sessions import Started, end_session, forget_old_sessions, start_session

__all__ = [
    "CreatedStaff",
    "Started",
    "create",
    "disable",
    "end_session",
    "forget_old_sessions",
    "replay_parked",
    "start_session",
]
