from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class _OfDelivery(Event):
    delivery_id: str

    @property
    def ordering_key(self) -> str:
        return self.delivery_id


@dataclass(frozen=True, slots=True)
class DeliveryQueued(_OfDelivery):
    """A message is to go out by one channel."""

    name: ClassVar[str] = "notifications.delivery_queued"


@dataclass(frozen=True, slots=True)
class ReceiptDue(_OfDelivery):
    """A message was sent some time ago: ask what became of it, for the `attempt`th time."""

    name: ClassVar[str] = "notifications.receipt_due"
    attempt: int
