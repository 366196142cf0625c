"""One day's bill of one wallet, in our words. Amounts in fen, never negative but for fees."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from kit.words import Worded


class UnreadableBill(ValueError):
    """A file that does not say what money depends on, or does not add up; never quotes a person's data."""


class LineKind(Worded):
    PAYMENT = "payment", "收款"
    REFUND = "refund", "退款"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One payment or one accepted refund; `position` counts the file's lines from 1.

    `amount_fen` is what the order or the refund was over, `settled_fen` what the wallet books of it (less by
    discounts). `service_fee_fen` is what the wallet keeps: of a refund it is negative when it gives fees back. `at` is
    when it was done, in whole seconds.
    """

    kind: LineKind
    position: int
    out_trade_no: str
    transaction_id: str
    out_refund_no: str = ""
    amount_fen: int
    settled_fen: int
    service_fee_fen: int
    at: datetime
    state: str

    @property
    def number(self) -> str:
        """What our books know it by: a payment by the wallet's transaction, a refund by our number of it."""
        return self.transaction_id if self.kind is LineKind.PAYMENT else self.out_refund_no

    @property
    def key(self) -> tuple[LineKind, str]:
        return self.kind, self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts and fen of one side's books of a day."""

    payments: int = 0
    payments_fen: int = 0
    refunds: int = 0
    refunds_fen: int = 0
    service_fee_fen: int = 0
    settled_fen: int = 0

    @property
    def net_fen(self) -> int:
        """What reaches the account: payments less refunds as the wallet settles them, less its fees."""
        return self.settled_fen - self.service_fee_fen


@dataclass(frozen=True, slots=True)
class Bill:
    """A day's bill; `raw` is the file as it was downloaded, empty when the wallet had nothing to write down."""

    wallet: str
    day: date
    raw: bytes
    lines: tuple[BillLine, ...]

    @property
    def totals(self) -> Totals:
        return totals_of(self.lines)


def totals_of(lines: Iterable[BillLine]) -> Totals:
    """What the lines add up to."""
    found = tuple(lines)
    payments = [line for line in found if line.kind is LineKind.PAYMENT]
    refunds = [line for line in found if line.kind is LineKind.REFUND]
    return Totals(
        payments=len(payments),
        payments_fen=sum(line.amount_fen for line in payments),
        refunds=len(refunds),
        refunds_fen=sum(line.amount_fen for line in refunds),
        service_fee_fen=sum(line.service_fee_fen for line in found),
        settled_fen=sum(line.settled_fen for line in payments) - sum(line.settled_fen for line in refunds),
    )
