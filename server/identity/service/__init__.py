"""What residents do about who they are; one module per concern."""

from server.identity.service.consume import consume_face_check
from server.identity.service.open_check import open_face_check
from server.identity.service.phones import bind_phone
from server.identity.service.sessions import Started, end_session, forget_old_sessions, start_session
from server.identity.service.settle_check import settle_face_check

__all__ = [
    "Started",
    "bind_phone",
    "consume_face_check",
    "end_session",
    "forget_old_sessions",
    "open_face_check",
    "settle_face_check",
    "start_session",
]
