"""A house of notifications alone: fake channels, an address book in memory, an outbox that is really drained."""

from collections.abc import Sequence
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
from notifications.channels.fake import FakeChannel, FakeSms
from notifications.events import DeliveryQueued, ReceiptDue
from notifications.models import Delivery
from notifications.ports import Channel, Needs
from notifications.shelf import Shelf
from tests.support.moments import NOON

TEMPLATE = "case_accepted"
OPENID = "oZhang000000000000000000001"
ALIPAY_ID = "2088000000000001"
PHONE = "+8613800000001"
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
    """Who is reached where: by WeChat those in `known`, elsewhere those in `others`, by channel."""

    known: dict[str, str] = field(default_factory=dict)
    others: dict[str, dict[str, str]] = field(default_factory=dict)
    used: list[str] = field(default_factory=lambda: ["wechat"])

    async def address(self, recipient: str, channel: str) -> str | None:
        book = self.known if channel == "wechat" else self.others.get(channel, {})
        return book.get(recipient)

    async def wallets(self, recipient: str) -> Sequence[str]:  # noqa: ARG002 - all have the same
        return self.used


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
        needs = replace(self.needs, channels={**self.needs.channels, "wechat": channel})
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

    async def delivery(self, channel: str = "wechat") -> Delivery:
        return await Delivery.get(channel=channel)

    def with_all(self) -> "Everywhere":
        """The same house with Alipay and text messages beside WeChat; somebody has all three, WeChat used last."""
        alipay, sms = FakeChannel(self.needs.templates.shipped), FakeSms(self.needs.templates.shipped)
        self.book.others = {"alipay": {self.somebody: ALIPAY_ID}, "sms": {self.somebody: PHONE}}
        self.book.used = ["wechat", "alipay"]
        channels: dict[str, Channel] = {"wechat": self.channel, "alipay": alipay, "sms": sms}
        needs = replace(self.needs, channels=channels, receipts={"sms": sms})
        drain = Drain(SimpleNamespace(notifications=needs), self.drain.handlers, self.clock)
        return Everywhere(self.clock, self.channel, self.book, needs, drain, self.somebody, alipay, sms)


@dataclass
class Everywhere(Desk):
    """A desk with three ways out."""

    alipay: FakeChannel
    sms: FakeSms

    async def states(self) -> dict[str, tuple[str, str | None]]:
        """What became of the message by each channel, the inbox left out."""
        rows = await Delivery.exclude(channel="inbox").order_by("id")
        return {row.channel: (row.state, row.reason) for row in rows}


def desk() -> Desk:
    clock = FixedClock(NOON)
    shipped = templates.load()
    channel = FakeChannel(shipped)
    somebody = new_id()
    book = Book({somebody: OPENID})

    async def deliver(house: Any, event: DeliveryQueued) -> None:
        await service.deliver(house.notifications, delivery_id=event.delivery_id)

    async def receipt(house: Any, event: ReceiptDue) -> None:
        await service.record_receipt(house.notifications, delivery_id=event.delivery_id, attempt=event.attempt)

    handlers = (
        Handler("notifications.deliver", DeliveryQueued, deliver),
        Handler("notifications.receipt", ReceiptDue, receipt),
    )
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    cipher = Cipher(KeyRing({"k1": b"1" * 32, "blind": b"2" * 32}, "k1"))
    needs = Needs(clock, outbox, cipher, Shelf(shipped), {"wechat": channel}, book)
    return Desk(clock, channel, book, needs, Drain(SimpleNamespace(notifications=needs), handlers, clock), somebody)
