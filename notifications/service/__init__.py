"""The verbs: tell somebody, deliver what was queued, keep consents, mark as read."""

from notifications.service.consents import record_consents
from notifications.service.delivering import deliver
from notifications.service.telling import mark_read, tell

__all__ = ["deliver", "mark_read", "record_consents", "tell"]
