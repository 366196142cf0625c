"""A wallet that keeps its orders in memory and signs with a keyed digest; for tests and for trying things out."""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import orjson

from kit.clock import Clock
from kit.errors import OutsideError
from payments.errors import NoticeRefused
from payments.ports import Account, ClientParams, NewOrder, NewRefund, Notice, UnreadableReport
from payments.refund_rules import RefundNotice, RefundReport, RefundState
from payments.rules import CURRENCY, Report, TradeState

SYSTEM = "fake_wallet"
SIGNATURE = "x-fake-signature"


@dataclass(frozen=True, slots=True)
class Trade:
    """One order as this wallet keeps it."""

    order: NewOrder
    report: Report


@dataclass(frozen=True, slots=True)
class GivenBack:
    """One refund as this wallet keeps it."""

    asked: NewRefund
    report: RefundReport
    taken_at: datetime


class FakeWallet:
    """Orders, refunds and notices of one merchant, with a real wallet's rules: a number is used once, for one content.

    A refund is taken on and waits until `finish_refund`, unless `instant`.
    """

    def __init__(self, clock: Clock, *, merchant_id: str = "1900000109", app_id: str = "wxfake00000001") -> None:
        self._clock = clock
        self.account = Account(merchant_id=merchant_id, app_id=app_id)
        self.trades: dict[str, Trade] = {}
        self.given_back: dict[str, GivenBack] = {}
        self.prepared = 0
        self.refunds_asked = 0
        self.instant = False

    async def prepare(self, order: NewOrder) -> ClientParams:
        """Permanent OutsideError OUT_TRADE_NO_USED for a number with other content, or one paid or closed."""
        self.prepared += 1
        known = self.trades.get(order.out_trade_no)
        if known is None:
            known = self.trades[order.out_trade_no] = Trade(order, self._unpaid(order))
        if known.order != order or known.report.trade_state is not TradeState.UNPAID:
            raise OutsideError(SYSTEM, "OUT_TRADE_NO_USED", "the number is used", permanent=True)
        return {"appId": self.account.app_id, "package": f"prepay_id=fake{order.out_trade_no}"}

    async def query(self, out_trade_no: str) -> Report | None:
        known = self.trades.get(out_trade_no)
        return known.report if known else None

    async def close(self, out_trade_no: str) -> bool:
        known = self.trades.get(out_trade_no)
        if known is None:
            return True
        if known.report.trade_state is not TradeState.UNPAID:
            return known.report.trade_state is TradeState.CLOSED
        self._keep(known, replace(known.report, trade_state=TradeState.CLOSED))
        return True

    async def refund(self, refund: NewRefund) -> RefundReport:
        """Permanent OutsideError for an unpaid trade, a wrong total, more than is left, a number with other content."""
        self.refunds_asked += 1
        known = self.given_back.get(refund.out_refund_no)
        if known is not None:
            if known.asked != refund:
                raise OutsideError(SYSTEM, "OUT_REFUND_NO_USED", "the number is used", permanent=True)
            return known.report
        trade = self.trades.get(refund.out_trade_no)
        if trade is None or trade.report.trade_state not in {TradeState.PAID, TradeState.REFUNDED}:
            raise OutsideError(SYSTEM, "ORDER_NOT_EXIST", "there is nothing to give back", permanent=True)
        if refund.total_fen != trade.report.amount_fen:
            raise OutsideError(SYSTEM, "PARAM_ERROR", "the payment is another amount", permanent=True)
        if refund.amount_fen > (trade.report.amount_fen or 0) - self.returned(refund.out_trade_no):
            raise OutsideError(SYSTEM, "NOT_ENOUGH", "more than is left", permanent=True)
        report = RefundReport(
            refund.out_refund_no, RefundState.PROCESSING, refund.amount_fen, f"fake-{refund.out_refund_no}"
        )
        self.given_back[refund.out_refund_no] = GivenBack(refund, report, self._clock.now())
        return self.finish_refund(refund.out_refund_no) if self.instant else report

    async def query_refund(self, out_trade_no: str, out_refund_no: str) -> RefundReport | None:
        known = self.given_back.get(out_refund_no)
        return known.report if known and known.asked.out_trade_no == out_trade_no else None

    def finish_refund(self, out_refund_no: str, state: RefundState = RefundState.SUCCEEDED) -> RefundReport:
        """The wallet comes to an end with it; answers what it will say from now on."""
        known = self.given_back[out_refund_no]
        done = self._clock.now() if state is RefundState.SUCCEEDED else None
        report = replace(known.report, state=state, refunded_at=done)
        self.given_back[out_refund_no] = replace(known, report=report)
        return report

    def returned(self, out_trade_no: str) -> int:
        """What went or is going back of a trade, in fen."""
        refunds = (each for each in self.given_back.values() if each.asked.out_trade_no == out_trade_no)
        return sum(each.asked.amount_fen for each in refunds if each.report.state is not RefundState.CLOSED)

    def pay(self, out_trade_no: str) -> Report:
        """The payer pays; answers what the wallet will say of it from now on."""
        known = self.trades[out_trade_no]
        paid = replace(
            known.report,
            trade_state=TradeState.PAID,
            transaction_id=f"fake-{out_trade_no}",
            paid_at=self._clock.now(),
        )
        return self._keep(known, paid)

    def says(self, out_trade_no: str, report: Report) -> None:
        """From now on, whatever the truth is, answer this."""
        self._keep(self.trades[out_trade_no], report)

    def notice(self, report: Report, *, notice_id: str) -> tuple[dict[str, str], bytes]:
        """A signed notice, as headers and raw body."""
        body = orjson.dumps({"id": notice_id, "report": asdict(report)})
        return {SIGNATURE: self._signature(body)}, body

    def refund_notice(self, said: RefundNotice, *, notice_id: str) -> tuple[dict[str, str], bytes]:
        """A signed notice about a refund."""
        body = orjson.dumps({"id": notice_id, "refund": asdict(said), "report": {"out_trade_no": said.out_trade_no}})
        return {SIGNATURE: self._signature(body)}, body

    def open(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE, "")
        if not hmac.compare_digest(given.encode(), self._signature(raw_body).encode()):
            raise NoticeRefused
        opened = orjson.loads(raw_body)
        said = opened.get("refund") or opened["report"]
        return Notice(opened["id"], opened["report"]["out_trade_no"], orjson.dumps(said))

    def read(self, body: bytes) -> Report | RefundNotice:
        opened = orjson.loads(body)
        try:
            if "out_refund_no" in opened:
                return RefundNotice(**opened)
            paid_at = datetime.fromisoformat(opened["paid_at"]) if opened["paid_at"] else None
            return Report(**{**opened, "trade_state": TradeState(opened["trade_state"]), "paid_at": paid_at})
        except (KeyError, TypeError, ValueError):
            raise UnreadableReport("not a report") from None

    def _unpaid(self, order: NewOrder) -> Report:
        return Report(
            out_trade_no=order.out_trade_no,
            trade_state=TradeState.UNPAID,
            merchant_id=self.account.merchant_id,
            app_id=self.account.app_id,
            amount_fen=order.amount_fen,
            currency=CURRENCY,
        )

    def _keep(self, known: Trade, report: Report) -> Report:
        self.trades[known.order.out_trade_no] = Trade(known.order, report)
        return report

    def _signature(self, body: bytes) -> str:
        return hmac.digest(self.account.merchant_id.encode(), body, "sha256").hex()
