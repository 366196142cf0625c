"""What payments needs of wallets, in our words; one provider per wallet implements both protocols."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from payments.bills.bill import Bill
from payments.refund_rules import RefundNotice, RefundReport
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

    `payer_address` is the payer's id at this wallet (an openid, at Alipay perhaps a 2088 number); `description` holds
    nothing personal.
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


class UnreadableReport(ValueError):
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

    def read(self, body: bytes) -> Report | RefundNotice:
        """What a notice opened before says, of a payment or of a refund; raises UnreadableReport."""


@dataclass(frozen=True, slots=True)
class NewRefund:
    """What a wallet is asked to give back; the same number with the same content may be asked any number of times.

    `amount_fen` of the `total_fen` that was paid under `out_trade_no`; the payer reads `reason` in the wallet.
    """

    out_trade_no: str
    out_refund_no: str
    amount_fen: int
    total_fen: int
    reason: str


class Refunds(Protocol):
    """Refunds at one wallet. Every method raises OutsideError and holds no transaction."""

    async def refund(self, refund: NewRefund) -> RefundReport:
        """Ask for it, or find it asked for already; that it was taken on does not mean that it will succeed."""

    async def query_refund(self, out_trade_no: str, out_refund_no: str) -> RefundReport | None:
        """What became of it; None when the wallet never heard of the number."""


class BillNotReady(Exception):
    """There is no bill of that day, or not yet; `absent` when the wallet says that there is none at all."""

    def __init__(self, *, absent: bool = False) -> None:
        super().__init__("no bill" if absent else "not ready")
        self.absent = absent


class Bills(Protocol):
    """The daily bill of one wallet."""

    async def fetch(self, day: date) -> Bill:
        """The bill of a day in China; raises BillNotReady, UnreadableBill and OutsideError."""


@dataclass(frozen=True, slots=True)
class Needs:
    """By wallet; a wallet without its secret is in none of the maps, and then has no callback route."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    ordering: Mapping[str, Ordering]
    notices: Mapping[str, Notices]
    refunds: Mapping[str, Refunds] = field(default_factory=dict)
    bills: Mapping[str, Bills] = field(default_factory=dict)
    confirmed_from_fen: int | None = None
    """What staff give back of one payment waits from this sum on for a second person; None for never."""
