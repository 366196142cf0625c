from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from notifications.templates import Template


class ConsentRefused(Exception):  # noqa: N818 - says what it is
    """The person has not agreed to this message at the wallet, or agreed and it was used up."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one address; `fields` fit the template, `page` is where a tap leads."""

    address: str
    template: str
    fields: Mapping[str, str]
    page: str


class Channel(Protocol):
    """A way to reach people outside our own inbox; each message spends one consent."""

    def template_id(self, template: str) -> str | None:
        """The channel's own id of a template of ours; None when it was not applied for."""

    async def send(self, message: Outgoing) -> str:
        """Send and answer the channel's receipt; raises ConsentRefused and OutsideError."""


class AddressBook(Protocol):
    """Where a recipient is reached."""

    async def address(self, recipient: str, channel: str) -> str | None:
        """The recipient's address on a channel, such as an openid; None when there is none."""


@dataclass(frozen=True, slots=True)
class Needs:
    """`channels` by name, without the inbox, which is always there."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    templates: Mapping[str, Template]
    channels: Mapping[str, Channel]
    addresses: AddressBook
