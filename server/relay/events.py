from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class RegistryMessageArrived(Event):
    """A verified message from the registry lies in the inbox."""

    name: ClassVar[str] = "relay.registry_message_arrived"

    inbox_id: str
    application_id: str

    @property
    def ordering_key(self) -> str:
        """The application; a message of none waits for no other."""
        return self.application_id or self.inbox_id
