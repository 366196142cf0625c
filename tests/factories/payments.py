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
from payments.events import AttemptOpened, NoticeArrived, OrderOpened, PaymentSettled
from payments.models import Attempt, Order
from payments.ports import Needs, Notices, Ordering
from payments.providers.fake import FakeWallet
from payments.rules import Line
from tests.support.moments import NOON

PURPOSE = "registration_fee"
WALLET = "wechat"
OPENID = "oPayer0000000000000000000001"
EIGHTY_YUAN = (Line("registration", "不动产登记费", 8000),)


def cipher() -> Cipher:
    return Cipher(KeyRing({"k1": b"1" * 32, "blind": b"2" * 32}, "k1"))


@dataclass
class Till:
    """Everything a payments test needs; `told` and `opened` hold the events that left the room."""

    clock: FixedClock
    wallet: FakeWallet
    needs: Needs
    drain: Drain
    told: list[PaymentSettled] = field(default_factory=list)
    opened: list[OrderOpened] = field(default_factory=list)

    def through(self, ordering: Ordering, notices: Notices | None = None) -> "Till":
        """The same house with another way to the wallet."""
        needs = replace(self.needs, ordering={WALLET: ordering}, notices={WALLET: notices or self.wallet})
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

    async def pay(self, order: Order, *, key: RequestKey | None = None, openid: str = OPENID) -> Attempt:
        """What the endpoint does: once under the request's key, with a claim before the wallet is called."""

        async def command(claimed: RequestKey) -> str:
            return await service.pay(
                self.needs,
                order_id=order.id,
                payer_id=order.payer_id,
                payer_address=openid,
                wallet=WALLET,
                description="不动产登记费",
                key=claimed,
            )

        done = await once(key or self.key(), command, status=201, calls_outside=True)
        return await Attempt.get(id=done.result_id)

    async def work(self, *, seconds: float = 0) -> None:
        """Let time pass, then let the worker do what is due."""
        self.clock.advance(seconds=seconds)
        await self.drain.until_idle(rounds=50)


def till(clock: FixedClock | None = None) -> Till:
    clock = clock or FixedClock(NOON)
    wallet = FakeWallet(clock)
    told: list[PaymentSettled] = []
    opened: list[OrderOpened] = []

    async def settle_notice(house: Any, event: NoticeArrived) -> None:
        await service.settle_notice(house.payments, inbox_id=event.inbox_id)

    async def poll(house: Any, event: AttemptOpened) -> None:
        await service.poll(house.payments, attempt_id=event.attempt_id)

    async def settled(_: Any, event: PaymentSettled) -> None:
        told.append(event)

    async def due(_: Any, event: OrderOpened) -> None:
        opened.append(event)

    handlers = (
        Handler("payments.settle_notice", NoticeArrived, settle_notice),
        Handler("payments.poll", AttemptOpened, poll),
        Handler("test.settled", PaymentSettled, settled),
        Handler("test.due", OrderOpened, due),
    )
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    needs = Needs(clock, outbox, cipher(), {WALLET: wallet}, {WALLET: wallet})
    drain = Drain(SimpleNamespace(payments=needs), handlers, clock)
    return Till(clock, wallet, needs, drain, told, opened)
