from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from notifications.rules import Agreement
from notifications.shelf import Shelf
from notifications.templates import Limits


class ConsentRefused(Exception):
    """The person has not agreed to this message there, agreed and it was used up, or has taken the agreement back."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one address; `fields` fit the template in their order, `page` is where a tap leads.

    `reference` is our own id of the delivery, for those who hand it back.
    """

    address: str
    template: str
    fields: Mapping[str, str]
    page: str
    reference: str = ""


class Channel(Protocol):
    """A way to reach people outside our own inbox."""

    def template_id(self, template: str) -> str | None:
        """The channel's own id of a template of ours; None when it was not applied for."""

    def agreement(self, template: str) -> Agreement:
        """What a person must have agreed to before a message of this template may be sent."""

    async def send(self, message: Outgoing) -> str:
        """Send and answer the channel's receipt; raises ConsentRefused and OutsideError."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message that was sent; `reason` is the provider's own word for why it did not arrive."""

    received: bool
    reason: str | None = None


class Receipts(Protocol):
    """A channel that tells afterwards whether a message arrived."""

    async def report(self, *, address: str, receipt: str, sent_at: datetime) -> Report | None:
        """Ask what became of the message with this receipt; None while nobody knows. Raises OutsideError.

        Asking again answers the same: nothing is lost when the answer is.
        """


class AddressBook(Protocol):
    """Where a recipient is reached."""

    async def address(self, recipient: str, channel: str) -> str | None:
        """The recipient's address on a channel, such as an openid or a phone number; None when there is none."""

    async def wallets(self, recipient: str) -> Sequence[str]:
        """The wallets that the recipient has an account in, the one used last first."""


@dataclass(frozen=True, slots=True)
class Needs:
    """`channels` by name, without the inbox, which is always there; `receipts` are those of them that give any."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    templates: Shelf
    channels: Mapping[str, Channel]
    addresses: AddressBook
    receipts: Mapping[str, Receipts] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
