from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class RealNameVerified(Event):
    """A resident is now known by a verified name and ID number."""

    name: ClassVar[str] = "identity.real_name_verified"

    resident_id: str

    @property
    def ordering_key(self) -> str:
        return self.resident_id
