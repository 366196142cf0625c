"""alipay.trade.refund and alipay.trade.fastpay.refund.query."""

from typing import Any

from sandbox.alipay.announcing import Announcer
from sandbox.alipay.gateway import Call
from sandbox.alipay.money import fen, yuan
from sandbox.alipay.ordering import find
from sandbox.alipay.refusals import failed, invalid
from sandbox.alipay.trades import FINISHED, PAID, Trade, Trades
from sandbox.people import People

_LONGEST_NUMBER, _LONGEST_REASON = 64, 256


class Refunding:
    def __init__(self, *, people: People, trades: Trades, announcer: Announcer) -> None:
        self._people = people
        self._trades = trades
        self._announcer = announcer

    def refund(self, call: Call) -> dict[str, Any]:
        """Money moves once per out_request_no: the first answer says fund_change Y, every repetition N."""
        trade = find(self._trades, call.biz)
        amount = fen(call.biz.get("refund_amount"))
        if amount is None:
            raise invalid("refund_amount")
        number, reason = self._number(call.biz, trade, amount), call.biz.get("refund_reason")
        if reason is not None and not (isinstance(reason, str) and len(reason) <= _LONGEST_REASON):
            raise invalid("refund_reason")
        known = trade.refund(number)
        if known is not None:
            if known["amount"] != amount:
                raise failed("ACQ.DISCORDANT_REPEAT_REQUEST")
            return self._answer(trade, known, moved=False)
        self._check(trade, amount)
        trade = self._trades.refund(trade, out_request_no=number, amount=amount, reason=reason)
        refund = trade.refunds[-1]
        self._announcer.refunded(trade, refund)
        return self._answer(trade, refund, moved=True)

    def query(self, call: Call) -> dict[str, Any]:
        """A refund that was never made is a success without refund_status, not an error."""
        trade = find(self._trades, call.biz)
        number = call.biz.get("out_request_no")
        if not isinstance(number, str) or not number:
            raise invalid("out_request_no")
        refund = trade.refund(number)
        if refund is None:
            return {}
        shown = {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "out_request_no": number,
            "refund_status": "REFUND_SUCCESS",
            "refund_amount": yuan(refund["amount"]),
            "total_amount": yuan(trade.total),
        }
        if "gmt_refund_pay" in (call.biz.get("query_options") or []):
            shown["gmt_refund_pay"] = refund["at"]
        return shown | ({"refund_reason": refund["reason"]} if refund["reason"] else {})

    def _number(self, biz: dict[str, Any], trade: Trade, amount: int) -> str:
        """Without out_request_no only the whole trade can be refunded, under its own number."""
        number = biz.get("out_request_no")
        if number is None and amount == trade.total:
            return trade.out_trade_no
        if not isinstance(number, str) or not 1 <= len(number) <= _LONGEST_NUMBER:
            raise invalid("out_request_no")
        return number

    def _check(self, trade: Trade, amount: int) -> None:
        if trade.status == FINISHED:
            raise failed("ACQ.TRADE_HAS_FINISHED")
        if trade.status != PAID:
            raise failed("ACQ.TRADE_HAS_CLOSE" if trade.was_paid else "ACQ.TRADE_STATUS_ERROR")
        if trade.refunded + amount > trade.total:
            raise failed("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")

    def _answer(self, trade: Trade, refund: dict[str, Any], *, moved: bool) -> dict[str, Any]:
        """`refund_fee` is what has gone back in all."""
        shown = {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "fund_change": "Y" if moved else "N",
            "refund_fee": yuan(trade.refunded),
            "gmt_refund_pay": refund["at"],
            "send_back_fee": yuan(refund["amount"] if moved else 0),
        }
        buyer = self._people.get(trade.buyer)
        if buyer is not None:
            shown |= {"buyer_user_id": buyer.alipay_user_id, "buyer_open_id": buyer.alipay_open_id}
        return shown
