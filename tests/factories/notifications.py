"""A house of notifications alone: a fake WeChat, an address book in memory, an outbox that is really drained."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.ids import new_id
from kit.outbox import Handler, Outbox
from kit.outbox.drain import Drain
from notifications import service, templates
from notifications.channels.fake import FakeChannel
from notifications.events import DeliveryQueued
from notifications.models import Delivery
from notifications.ports import Channel, Needs
from tests.support.moments import NOON

TEMPLATE = "case_accepted"
OPENID = "oZhang000000000000000000001"
PARAMS = {
    "business": "二手房（存量房）转移登记",
    "number": "320114-2026-000012",
    "time": "2026年3月16日 12:00",
    "application_id": "a" * 32,
    "amount": "80.00",
    "office": "演示市不动产登记中心雨花台受理点",
    "appointment_id": "b" * 32,
}


@dataclass
class Book:
    """Who is reached where."""

    known: dict[str, str] = field(default_factory=dict)

    async def address(self, recipient: str, channel: str) -> str | None:
        return self.known.get(recipient) if channel == "wechat" else None


@dataclass
class Desk:
    """Everything a notifications test needs; `somebody` has an address."""

    clock: FixedClock
    channel: FakeChannel
    book: Book
    needs: Needs
    drain: Drain
    somebody: str

    def through(self, channel: Channel) -> "Desk":
        """The same house with another way out."""
        needs = replace(self.needs, channels={"wechat": channel})
        drain = Drain(SimpleNamespace(notifications=needs), self.drain.handlers, self.clock)
        return replace(self, needs=needs, drain=drain)

    async def agree(self, *, at_wallet: int = 1, with_us: int = 1) -> None:
        """Somebody tapped "allow", as the wallet and as we know it."""
        self.channel.agree(OPENID, TEMPLATE, at_wallet)
        for _ in range(with_us):
            await service.record_consents(self.needs, recipient=self.somebody, accepted=[TEMPLATE])

    async def tell(self, occasion: str = "accepted", **changes: str) -> bool:
        return await service.tell(
            self.needs,
            recipient=self.somebody,
            template=TEMPLATE,
            params={**PARAMS, **changes},
            dedupe_key=f"{TEMPLATE}:{self.somebody}:{occasion}",
        )

    async def work(self, *, seconds: float = 0) -> None:
        self.clock.advance(seconds=seconds)
        await self.drain.until_idle(rounds=20)

    async def delivery(self) -> Delivery:
        return await Delivery.get(channel="wechat")


def desk() -> Desk:
    clock = FixedClock(NOON)
    shipped = templates.load()
    channel = FakeChannel(shipped)
    somebody = new_id()
    book = Book({somebody: OPENID})

    async def deliver(house: Any, event: DeliveryQueued) -> None:
        await service.deliver(house.notifications, delivery_id=event.delivery_id)

    handlers = (Handler("notifications.deliver", DeliveryQueued, deliver),)
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    cipher = Cipher(KeyRing({"k1": b"1" * 32, "blind": b"2" * 32}, "k1"))
    needs = Needs(clock, outbox, cipher, shipped, {"wechat": channel}, book)
    return Desk(clock, channel, book, needs, Drain(SimpleNamespace(notifications=needs), handlers, clock), somebody)
