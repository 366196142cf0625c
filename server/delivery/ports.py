"""What delivery needs of carriers, in our words: to watch a parcel, to ask for it, and to hear of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from server.delivery.rules import Report


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a carrier is asked about; some give no answer without the receiver's phone number."""

    carrier: str
    waybill: str
    phone: str


@dataclass(frozen=True, slots=True)
class Push:
    """A genuine push: its unique id, the waybill it is about (empty if none can be read), and what it said."""

    id: str
    waybill: str
    body: bytes


class UnreadableReport(ValueError):
    """A genuine push that does not say what we must know; never quotes it."""


class Carrier(Protocol):
    """One provider of tracking. Every method raises OutsideError and holds no transaction."""

    async def subscribe(self, parcel: Parcel) -> bool:
        """Ask to be told of every change, any number of times; False when this provider never tells by itself."""

    async def query(self, parcel: Parcel) -> Report | None:
        """The full list of today; None while the carrier knows nothing. At most once in 30 minutes per parcel."""


class Pushes(Protocol):
    """What a provider pushes."""

    def open(self, raw_body: bytes) -> Push:
        """The push, proven genuine on its raw bytes; raises CALLBACK_SIGNATURE_WRONG."""

    def read(self, body: bytes) -> Report:
        """What a push opened before says; raises UnreadableReport."""


@dataclass(frozen=True, slots=True)
class Needs:
    """`carriers` by the carrier's code; without a provider's secret there is no `pushes`, and no callback route."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    carriers: Mapping[str, Carrier]
    pushes: Pushes | None = None
