"""Payment notifications: signed, their resource encrypted, repeated until the merchant acknowledges."""

from dataclasses import dataclass, replace
from typing import Any

from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier, Delivery, Forgery, Receipt
from sandbox.wechat.pay_orders import Order, Orders
from sandbox.wechat.pay_stamp import ACKNOWLEDGED, SCHEDULE, Stamp

TARGET = "pay.notify"


@dataclass(frozen=True, slots=True)
class Falsehood:
    """What a forged notification claims; None leaves the truth."""

    amount_fen: int | None = None
    mchid: str | None = None
    appid: str | None = None

    @property
    def tells_truth(self) -> bool:
        return (self.amount_fen, self.mchid, self.appid) == (None, None, None)


class Announcer:
    def __init__(self, *, keys: Keys, clock: Clock, orders: Orders, courier: Courier, stamp: Stamp) -> None:
        self._keys = keys
        self._clock = clock
        self._orders = orders
        self._courier = courier
        self._stamp = stamp

    def announce(self, order: Order) -> None:
        """Tell the merchant, now and until it acknowledges."""
        self._courier.dispatch(self._delivery(order, Falsehood()), SCHEDULE)

    def resume(self) -> None:
        """Start over with the payments that a restart left unacknowledged."""
        for order in self._orders.unannounced():
            self.announce(order)

    async def send_extra(self, order: Order, falsehood: Falsehood, forgery: Forgery) -> Receipt:
        """One more: the honest one again, or, with a falsehood, one of its own, about an order perhaps unpaid."""
        known = self._courier.latest(TARGET, order.out_trade_no)
        if known is None or not falsehood.tells_truth:
            known = self._delivery(order, falsehood)
        return await self._courier.send(known, forgery)

    async def replay(self, order: Order) -> Receipt | None:
        """The last attempt byte for byte, None when nothing was sent yet."""
        known = self._courier.latest(TARGET, order.out_trade_no)
        return await self._courier.replay(known) if known and known.last_headers else None

    def _delivery(self, order: Order, falsehood: Falsehood) -> Delivery:
        return Delivery(
            target=TARGET,
            subject=order.out_trade_no,
            url=order.notify_url,
            body=self._body(self._transaction(order, falsehood)),
            sign=self._stamp.sign,
            accepts=ACKNOWLEDGED.__contains__,
            on_accepted=lambda: self._orders.mark_notified(order.out_trade_no),
        )

    def _body(self, transaction: dict[str, Any]) -> bytes:
        return self._stamp.notification(
            transaction,
            event_type="TRANSACTION.SUCCESS",
            summary="支付成功",
            original_type="transaction",
            at=transaction["success_time"],
        )

    def _transaction(self, order: Order, falsehood: Falsehood) -> dict[str, Any]:
        if order.trade_state != "SUCCESS":
            order = replace(
                order, trade_state="SUCCESS", transaction_id="4200" + "0" * 24, success_time=self._clock.beijing()
            )
        if falsehood.amount_fen is not None:
            order = replace(order, total=falsehood.amount_fen)
        shown = order.describe(self._keys)
        return shown | {"mchid": falsehood.mchid or self._keys.mchid, "appid": falsehood.appid or self._keys.app_id}
