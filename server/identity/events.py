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


@dataclass(frozen=True, slots=True)
class WalletJoined(Event):
    """A further wallet leads to a resident from now on, by the face check that proved who holds it.

    `brought_phone`: the resident's phone number came with that wallet.
    """

    name: ClassVar[str] = "identity.wallet_joined"

    resident_id: str
    wallet: str
    check_id: str
    brought_phone: bool

    @property
    def ordering_key(self) -> str:
        return self.resident_id
