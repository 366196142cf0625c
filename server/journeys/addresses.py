"""Where a resident is reached: the address book that notifications ask for, answered by identity."""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.rules import SMS
from server.identity import queries as residents
from server.identity.errors import RealNameRequired
from server.identity.ports import Needs


@dataclass(frozen=True, slots=True)
class ResidentAddresses:
    """Implements `notifications.ports.AddressBook`; a channel is named after its wallet, `sms` is the phone."""

    identity: Needs

    async def address(self, recipient: str, channel: str) -> str | None:
        if channel == SMS:
            return await self._phone(recipient)
        return await residents.wallet_address(self.identity, resident_id=recipient, wallet=channel)

    async def wallets(self, recipient: str) -> Sequence[str]:
        return await residents.wallets_used(self.identity, resident_id=recipient)

    async def _phone(self, recipient: str) -> str | None:
        """The number bound under the verified name: before that it is nobody's in particular."""
        try:
            person = await residents.person(self.identity, resident_id=recipient)
        except RealNameRequired:
            return None
        return f"+86{person.phone}" if person.phone else None
