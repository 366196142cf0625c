"""A wallet that keeps its orders in memory and signs with a keyed digest; for tests and for trying things out."""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import orjson

from kit.clock import Clock
from kit.errors import OutsideError
from payments.errors import NoticeRefused
from payments.ports import Account, ClientParams, NewOrder, Notice, UnreadableReport
from payments.rules import CURRENCY, Report, TradeState

SYSTEM = "fake_wallet"
SIGNATURE = "x-fake-signature"


@dataclass(frozen=True, slots=True)
class Trade:
    """One order as this wallet keeps it."""

    order: NewOrder
    report: Report


class FakeWallet:
    """Orders and notices of one merchant, with the rules of a real wallet: a number is used once, with one content."""

    def __init__(self, clock: Clock, *, merchant_id: str = "1900000109", app_id: str = "wxfake00000001") -> None:
        self._clock = clock
        self.account = Account(merchant_id=merchant_id, app_id=app_id)
        self.trades: dict[str, Trade] = {}
        self.prepared = 0

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

    def open(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE, "")
        if not hmac.compare_digest(given.encode(), self._signature(raw_body).encode()):
            raise NoticeRefused
        opened = orjson.loads(raw_body)
        return Notice(opened["id"], opened["report"]["out_trade_no"], orjson.dumps(opened["report"]))

    def read(self, body: bytes) -> Report:
        opened = orjson.loads(body)
        try:
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
