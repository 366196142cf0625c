"""The verbs: tell somebody, deliver, ask what became of it, keep consents and templates, mark as read."""

from notifications.service.consents import record_consents
from notifications.service.delivering import deliver
from notifications.service.receipts import record_receipt
from notifications.service.telling import mark_read, tell
from notifications.service.versions import load_shipped, save_template

__all__ = [
    "deliver",
    "load_shipped",
    "mark_read",
    "record_consents",
    "record_receipt",
    "save_template",
    "tell",
]
