"""A house of payments alone: a fake wallet, an outbox that is really drained, orders and attempts on demand."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.idempotency import RequestKey, once
from kit.idempotency.service import new_key
from kit.ids import new_id
from kit.outbox import Handler, Outbox
from kit.outbox.drain import Drain
from payments import service
from payments.events import (
    AttemptOpened,
    BillDue,
    NoticeArrived,
    OrderOpened,
    PaymentSettled,
    RefundOpened,
    RefundSettled,
)
from payments.models import Attempt, Order, Refund
from payments.ports import Needs, Notices, Ordering, Refunds
from payments.providers.fake import FakeWallet
from payments.providers.fake_bills import FakeBills
from payments.rules import Line
from tests.support.moments import NOON

PURPOSE = "registration_fee"
WALLET = "wechat"
OTHER_WALLET = "alipay"
OPENID = "oPayer0000000000000000000001"
EIGHTY_YUAN = (Line("registration", "不动产登记费", 8000),)


def cipher() -> Cipher:
    return Cipher(KeyRing({"k1": b"1" * 32, "blind": b"2" * 32}, "k1"))


@dataclass
class Till:
    """Everything a payments test needs; `told`, `opened` and `returned` hold the events that left the room."""

    clock: FixedClock
    wallet: FakeWallet
    other: FakeWallet
    needs: Needs
    drain: Drain
    told: list[PaymentSettled] = field(default_factory=list)
    opened: list[OrderOpened] = field(default_factory=list)
    returned: list[RefundSettled] = field(default_factory=list)

    def through(
        self, ordering: Ordering, notices: Notices | None = None, refunds: Refunds | None = None, wallet: str = WALLET
    ) -> "Till":
        """The same house with another way to a wallet."""
        needs = replace(
            self.needs,
            ordering={**self.needs.ordering, wallet: ordering},
            notices={**self.needs.notices, wallet: notices or self.needs.notices[wallet]},
            refunds={**self.needs.refunds, wallet: refunds or self.needs.refunds[wallet]},
        )
        other = replace(self, needs=needs)
        other.drain = Drain(SimpleNamespace(payments=needs), self.drain.handlers, self.clock)
        return other

    async def order(self, *, lines: Sequence[Line] = EIGHTY_YUAN, payer_id: str = "", subject_id: str = "") -> Order:
        order_id = await service.open_order(
            self.needs,
            purpose=PURPOSE,
            subject_id=subject_id or new_id(),
            payer_id=payer_id or new_id(),
            lines=lines,
        )
        return await Order.get(id=order_id)

    def key(self, name: str = "") -> RequestKey:
        return new_key(who="resident:x", route="POST /pay", key=name or new_id(), digest="0" * 64, clock=self.clock)

    async def pay(
        self, order: Order, *, key: RequestKey | None = None, openid: str = OPENID, wallet: str = WALLET
    ) -> Attempt:
        """What the endpoint does: once under the request's key, with a claim before the wallet is called."""

        async def command(claimed: RequestKey) -> str:
            return await service.pay(
                self.needs,
                order_id=order.id,
                payer_id=order.payer_id,
                payer_address=openid,
                wallet=wallet,
                description="不动产登记费",
                key=claimed,
            )

        done = await once(key or self.key(), command, status=201, calls_outside=True)
        return await Attempt.get(id=done.result_id)

    async def settled(self, *, wallet: str = WALLET) -> tuple[Order, Attempt]:
        """An order that was paid, as found by asking."""
        order = await self.order()
        attempt = await self.pay(order, wallet=wallet)
        (self.wallet if wallet == WALLET else self.other).pay(attempt.out_trade_no)
        await self.work(seconds=30)
        return order, attempt

    async def refund(
        self, order: Order, amount_fen: int, *, key: RequestKey | None = None, attempt_id: str | None = None
    ) -> Refund:
        """What the finance endpoint does."""

        async def command(fresh: RequestKey) -> str:
            return await service.refund(
                self.needs,
                order_id=order.id,
                attempt_id=attempt_id,
                amount_fen=amount_fen,
                reason="多收的登记费",
                staff_id=new_id(),
                key=fresh,
            )

        done = await once(key or self.key(), command, status=201)
        return await Refund.get(id=done.result_id)

    async def work(self, *, seconds: float = 0) -> None:
        """Let time pass, then let the worker do what is due."""
        self.clock.advance(seconds=seconds)
        await self.drain.until_idle(rounds=50)


def till(clock: FixedClock | None = None, *, also: Sequence[Handler] = ()) -> Till:
    """A till whose outbox also has handlers of other rooms."""
    clock = clock or FixedClock(NOON)
    wallet = FakeWallet(clock)
    other = FakeWallet(clock, merchant_id="2088000000000001", app_id="2021fake00000001")
    told: list[PaymentSettled] = []
    opened: list[OrderOpened] = []
    returned: list[RefundSettled] = []

    async def settle_notice(house: Any, event: NoticeArrived) -> None:
        await service.settle_notice(house.payments, inbox_id=event.inbox_id)

    async def poll(house: Any, event: AttemptOpened) -> None:
        await service.poll(house.payments, attempt_id=event.attempt_id)

    async def settled(_: Any, event: PaymentSettled) -> None:
        told.append(event)

    async def due(_: Any, event: OrderOpened) -> None:
        opened.append(event)

    async def give_back(house: Any, event: RefundOpened) -> None:
        await service.give_back(house.payments, refund_id=event.refund_id)

    async def went_back(_: Any, event: RefundSettled) -> None:
        returned.append(event)

    async def fetch_bill(house: Any, event: BillDue) -> None:
        await service.fetch_bill(house.payments, bill_id=event.bill_id)

    handlers = (
        Handler("payments.settle_notice", NoticeArrived, settle_notice),
        Handler("payments.poll", AttemptOpened, poll),
        Handler("payments.refund", RefundOpened, give_back),
        Handler("payments.fetch_bill", BillDue, fetch_bill),
        Handler("test.returned", RefundSettled, went_back),
        Handler("test.settled", PaymentSettled, settled),
        Handler("test.due", OrderOpened, due),
        *also,
    )
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    wallets = {WALLET: wallet, OTHER_WALLET: other}
    bills = {name: FakeBills(clock, name, books) for name, books in wallets.items()}
    needs = Needs(clock, outbox, cipher(), wallets, wallets, wallets, bills)
    drain = Drain(SimpleNamespace(payments=needs), handlers, clock)
    return Till(clock, wallet, other, needs, drain, told, opened, returned)
