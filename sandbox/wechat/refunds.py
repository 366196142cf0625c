"""WeChat Pay's refunds: asked for, taken on, carried out a while later, told to the merchant."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from sanic import Request

from sandbox.answers import Answer
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier, Delivery, Forgery, Receipt
from sandbox.wechat.pay import Pay, object_of
from sandbox.wechat.pay_orders import Order, Orders, may_be_notified, refuse, text_of
from sandbox.wechat.pay_stamp import ACKNOWLEDGED, SCHEDULE, Stamp
from sandbox.wechat.refund_books import ENDS, Refund, Refunds

TARGET = "pay.refund_notify"
CARRIED_OUT_AFTER = 5.0  # seconds, unscaled
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_WITHIN = timedelta(days=365)
_MOST = 50
_APART_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RefundFalsehood:
    """What a forged notification claims; None leaves the truth."""

    mchid: str | None = None
    amount_fen: int | None = None
    out_trade_no: str | None = None
    out_refund_no: str | None = None
    status: str | None = None


_TRUTH = RefundFalsehood()


class RefundDesk:
    """`hold` keeps refunds waiting until the control endpoint ends them."""

    def __init__(
        self,
        *,
        keys: Keys,
        clock: Clock,
        orders: Orders,
        books: Refunds,
        pay: Pay,
        courier: Courier,
        stamp: Stamp,
        time_scale: float,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._orders = orders
        self.books = books
        self._pay = pay
        self._courier = courier
        self._stamp = stamp
        self._wait = CARRIED_OUT_AFTER * time_scale
        self._apart = _APART_SECONDS * time_scale
        self._tasks: set[asyncio.Task[None]] = set()
        self.hold = False

    def refund(self, request: Request) -> Answer:
        """POST /v3/refund/domestic/refunds; the same number again answers the same refund as it stands now."""
        self._pay.check_signature(request)
        asked = self._read(object_of(request))
        order = self._order(asked)
        known = self.books.get(asked["out_refund_no"])
        if known is not None:
            if (known.out_trade_no, known.amount) != (order.out_trade_no, asked["amount"]):
                raise refuse(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            return Answer(200, known.describe())
        self._check(order, asked)
        opened = self.books.open(order, asked)
        self._orders.mark_refunded(order.out_trade_no, self._gone(order))
        if not self.hold:
            self._carry_out_later(opened)
        return Answer(200, opened.describe())

    def query(self, request: Request) -> Answer:
        self._pay.check_signature(request)
        found = self.books.get(unquote(request.match_info["number"]))
        if found is None:
            raise refuse(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return Answer(200, found.describe())

    def end(self, refund: Refund, status: str = "SUCCESS") -> Refund:
        """Come to an end with it and tell the merchant; an abnormal one may still end well."""
        ended = self.books.end(refund, status)
        order = self._orders.get(refund.out_trade_no)
        if order is not None:
            self._orders.mark_refunded(order.out_trade_no, self._gone(order))
        if ended.notify_url:
            self._courier.dispatch(self._delivery(ended, _TRUTH), SCHEDULE)
        return ended

    def resume(self) -> None:
        """Go on with what a restart left unfinished or untold."""
        for refund in list(self.books.unfinished()):
            self._carry_out_later(refund)
        for refund in list(self.books.untold()):
            self._courier.dispatch(self._delivery(refund, _TRUTH), SCHEDULE)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send_extra(self, refund: Refund, falsehood: RefundFalsehood, forgery: Forgery) -> Receipt:
        """One more notification: the honest one again, or a lie, about a refund perhaps not ended."""
        return await self._courier.send(self._delivery(refund, falsehood), forgery)

    async def replay(self, refund: Refund) -> Receipt | None:
        """The last attempt byte for byte, None when nothing was sent yet."""
        known = self._courier.latest(TARGET, refund.out_refund_no)
        return await self._courier.replay(known) if known and known.last_headers else None

    def _carry_out_later(self, refund: Refund) -> None:
        task = asyncio.get_running_loop().create_task(self._carry_out(refund.out_refund_no))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, out_refund_no: str) -> None:
        await asyncio.sleep(self._wait)
        refund = self.books.get(out_refund_no)
        if refund is not None and refund.status == "PROCESSING" and not self.hold:
            self.end(refund)

    def _read(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The request in one flat shape; raises PARAM_ERROR with the first field that is wrong."""
        amount = asked.get("amount")
        amount = amount if isinstance(amount, dict) else {}
        url = asked.get("notify_url")
        for field, good in (
            ("out_trade_no", bool(asked.get("out_trade_no")) != bool(asked.get("transaction_id"))),
            ("out_refund_no", isinstance(asked.get("out_refund_no"), str)),
            ("out_refund_no", bool(_NUMBER.fullmatch(str(asked.get("out_refund_no"))))),
            ("reason", asked.get("reason") is None or text_of(asked["reason"], 80)),
            ("notify_url", url is None or may_be_notified(url)),
            ("amount.refund", _is_fen(amount.get("refund"))),
            ("amount.total", _is_fen(amount.get("total"))),
            ("amount.currency", amount.get("currency") == "CNY"),
        ):
            if not good:
                raise refuse(400, "PARAM_ERROR", f"参数错误：{field}")
        named = {name: asked.get(name) for name in ("out_trade_no", "transaction_id", "out_refund_no", "reason")}
        return {**named, "notify_url": url, "amount": amount["refund"], "total": amount["total"]}

    def _order(self, asked: dict[str, Any]) -> Order:
        if asked["out_trade_no"]:
            found = self._orders.get(str(asked["out_trade_no"]))
        else:
            found = self._orders.by_transaction(str(asked["transaction_id"]))
        if found is None:
            raise refuse(404, "ORDER_NOT_EXIST", "订单不存在")
        return found

    def _check(self, order: Order, asked: dict[str, Any]) -> None:
        if order.trade_state != "SUCCESS" or order.success_time is None:
            raise refuse(400, "INVALID_REQUEST", "订单未支付，不能退款")
        if asked["total"] != order.total:
            raise refuse(400, "INVALID_REQUEST", "订单金额与原订单不一致")
        if self._clock.now() - datetime.fromisoformat(order.success_time) > _WITHIN:
            raise refuse(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
        if asked["amount"] > order.total - self._gone(order):
            raise refuse(400, "INVALID_REQUEST", "申请退款金额超过订单可退金额")
        earlier = self.books.of_order(order.out_trade_no)
        if len(earlier) >= _MOST:
            raise refuse(403, "RULE_LIMIT", "退款次数超过限制")
        if any(self._clock.timestamp() - each.asked_at < self._apart for each in earlier):
            raise refuse(429, "FREQUENCY_LIMITED", "同一订单两次退款须间隔一分钟")

    def _gone(self, order: Order) -> int:
        return sum(each.amount for each in self.books.of_order(order.out_trade_no))

    def _delivery(self, refund: Refund, falsehood: RefundFalsehood) -> Delivery:
        told = replace(
            refund,
            status=falsehood.status or (refund.status if refund.status in ENDS else "SUCCESS"),
            amount=refund.amount if falsehood.amount_fen is None else falsehood.amount_fen,
            out_trade_no=falsehood.out_trade_no or refund.out_trade_no,
            out_refund_no=falsehood.out_refund_no or refund.out_refund_no,
        )
        return Delivery(
            target=TARGET,
            subject=refund.out_refund_no,
            url=refund.notify_url or "",
            body=self._stamp.notification(
                told.tell(falsehood.mchid or self._keys.mchid),
                event_type=f"REFUND.{told.status}",
                summary=ENDS[told.status],
                original_type="refund",
                at=self._clock.beijing(),
            ),
            sign=self._stamp.sign,
            accepts=ACKNOWLEDGED.__contains__,
            on_accepted=lambda: self.books.mark_notified(refund.out_refund_no),
        )


def _is_fen(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
