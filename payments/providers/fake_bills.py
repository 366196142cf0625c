"""Bills of a wallet that keeps them in memory; for tests and for trying things out."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from kit.clock import Clock, local_date
from payments.bill_rules import due_from
from payments.bills.bill import Bill, BillLine, LineKind
from payments.ports import BillNotReady
from payments.providers.fake import FakeWallet
from payments.refund_rules import RefundState
from payments.rules import TradeState


@dataclass
class FakeBills:
    """What a FakeWallet was paid and gave back, and lines beside it; no day's bill is there before it is due.

    `lost` holds numbers that the bill leaves out, `added` lines that the wallet knows alone, `amounts` what it says of
    a number instead of the truth.
    """

    clock: Clock
    wallet: str
    books: FakeWallet
    lost: set[str] = field(default_factory=set)
    added: list[BillLine] = field(default_factory=list)
    amounts: dict[str, int] = field(default_factory=dict)
    fetched: int = 0

    async def fetch(self, day: date) -> Bill:
        self.fetched += 1
        if self.clock.now() < due_from(day):
            raise BillNotReady
        lines = [line for line in (*self._payments(), *self._refunds(), *self.added) if local_date(line.at) == day]
        lines = [line for line in lines if line.number not in self.lost]
        if not lines:
            raise BillNotReady(absent=True)
        numbered = tuple(self._told(line, position) for position, line in enumerate(lines, start=1))
        return Bill(self.wallet, day, repr(numbered).encode(), numbered)

    def _told(self, line: BillLine, position: int) -> BillLine:
        amount = self.amounts.get(line.number, line.amount_fen)
        return replace(line, position=position, amount_fen=amount, settled_fen=amount)

    def _payments(self) -> Iterator[BillLine]:
        for trade in self.books.trades.values():
            report = trade.report
            if report.trade_state in {TradeState.PAID, TradeState.REFUNDED} and report.paid_at is not None:
                yield line_of(report.transaction_id, report.out_trade_no, trade.order.amount_fen, report.paid_at)

    def _refunds(self) -> Iterator[BillLine]:
        for each in self.books.given_back.values():
            if each.report.state is RefundState.CLOSED:
                continue
            paid = self.books.trades[each.asked.out_trade_no].report
            yield line_of(
                paid.transaction_id,
                each.asked.out_trade_no,
                each.asked.amount_fen,
                each.taken_at,
                out_refund_no=each.asked.out_refund_no,
            )


def line_of(
    transaction_id: str, out_trade_no: str, amount_fen: int, at: datetime, *, out_refund_no: str = ""
) -> BillLine:
    """A line without fee and discount; of a refund when it has a number."""
    return BillLine(
        kind=LineKind.REFUND if out_refund_no else LineKind.PAYMENT,
        position=0,
        out_trade_no=out_trade_no,
        transaction_id=transaction_id,
        out_refund_no=out_refund_no,
        amount_fen=amount_fen,
        settled_fen=amount_fen,
        service_fee_fen=0,
        at=at.replace(microsecond=0),
        state="",
    )
