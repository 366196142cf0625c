from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class DeliveryQueued(Event):
    """A message is to go out by one channel."""

    name: ClassVar[str] = "notifications.delivery_queued"
    delivery_id: str

    @property
    def ordering_key(self) -> str:
        return self.delivery_id
