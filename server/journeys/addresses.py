"""Where a resident is reached: the address book that notifications ask for, answered by identity."""

from dataclasses import dataclass

from server.identity import queries as residents
from server.identity.ports import Needs


@dataclass(frozen=True, slots=True)
class ResidentAddresses:
    """Implements `notifications.ports.AddressBook`; a channel is named after its wallet."""

    identity: Needs

    async def address(self, recipient: str, channel: str) -> str | None:
        return await residents.wallet_address(self.identity, resident_id=recipient, wallet=channel)
