"""What payments needs of wallets, in our words; one provider per wallet implements both protocols."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from payments.rules import Report

ClientParams = dict[str, str]
"""What the mini-program passes to its wallet's payment call, signed."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money it becomes: the merchant and the app that a wallet's word must name."""

    merchant_id: str
    app_id: str


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a wallet is asked for; the same number with the same content may be asked any number of times.

    `payer_address` is the payer's openid at this wallet; `description` holds nothing personal.
    """

    out_trade_no: str
    amount_fen: int
    description: str
    payer_address: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A genuine notice: its sender's unique id, the number it is about (empty if none), and what it said."""

    id: str
    out_trade_no: str
    body: bytes


class UnreadableReport(ValueError):  # noqa: N818 - ValueError says that it is one
    """A genuine notice that does not say what we must know; never quotes it."""


class Ordering(Protocol):
    """Orders at one wallet. Every method raises OutsideError and holds no transaction."""

    @property
    def account(self) -> Account: ...

    async def prepare(self, order: NewOrder) -> ClientParams:
        """Place the order, or find it placed already."""

    async def query(self, out_trade_no: str) -> Report | None:
        """What became of it; None when the wallet never heard of the number."""

    async def close(self, out_trade_no: str) -> bool:
        """Make it unpayable; False when the wallet refuses, as it was paid or is being paid."""


class Notices(Protocol):
    """What one wallet pushes."""

    def open(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        """The notice, proven genuine on its raw bytes; raises NOTICE_REFUSED."""

    def read(self, body: bytes) -> Report:
        """What a notice opened before says; raises UnreadableReport."""


@dataclass(frozen=True, slots=True)
class Needs:
    """By wallet; a wallet without its secret is in neither map, and then has no callback route."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    ordering: Mapping[str, Ordering]
    notices: Mapping[str, Notices]
