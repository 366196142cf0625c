"""A post desk: parcels asked for and sent, a carrier in memory, an outbox that is really drained."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.idempotency import RequestKey
from kit.idempotency.service import new_key
from kit.ids import new_id
from kit.inbox import Inbox
from kit.outbox import Handler, Outbox
from kit.outbox.drain import Drain
from server.adapters.fake_carrier import FakeCarrier
from server.delivery import queries, service
from server.delivery.events import CarrierPushArrived, Dispatched, PaperMoved, PollDue, StateChanged
from server.delivery.models import DeliveryOrder
from server.delivery.ports import Carrier, Needs
from server.delivery.rules import EMS, Report
from server.delivery.service import Receiver
from server.terms.scope import Scope
from tests.support.moments import NOON

HERE = Scope.of("320114")
CLERK = "c" * 32
WAYBILL = "EK123456785CN"
NUMBER = "苏(2026)南京市不动产权第0000012号"
RECEIVER = {
    "name": "王强",
    "phone": "13900001234",
    "district": "320114",
    "address": "软件大道18号云锦花园3幢302室",
    "postcode": "210012",
}
_serials = itertools.count(1)


def receiver(**changes: str) -> Receiver:
    return Receiver.parse(**{**RECEIVER, **changes})


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@dataclass
class PostDesk:
    """Everything a delivery test needs; `moves` are the states told in their order, `ways` where the paper went."""

    clock: FixedClock
    carrier: FakeCarrier
    needs: Needs
    drain: Drain
    moves: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    ways: list[PaperMoved] = field(default_factory=list)

    def through(self, carrier: Carrier) -> "PostDesk":
        """The same desk with another way to the carrier."""
        needs = replace(self.needs, carriers={EMS: carrier})
        return replace(self, needs=needs, drain=Drain(SimpleNamespace(delivery=needs), self.drain.handlers, self.clock))

    def key(self, name: str = "") -> RequestKey:
        return new_key(who="resident:x", route="POST /x", key=name or new_id(), digest="0" * 64, clock=self.clock)

    async def asked(self, *, resident_id: str = "", certificate_id: str = "", **changes: str) -> str:
        return await service.request(
            self.needs,
            resident_id=resident_id or new_id(),
            certificate_id=certificate_id or new_id(),
            certificate_number=NUMBER,
            district="320114",
            receiver=receiver(**changes),
            key=self.key(),
        )

    async def send(self, delivery_id: str, *, waybill: str = WAYBILL, scope: Scope = HERE, carrier: str = EMS) -> None:
        await service.dispatch(
            self.needs,
            staff_id=CLERK,
            scope=scope,
            delivery_id=delivery_id,
            carrier=carrier,
            waybill=waybill,
            old_certificate_recalled=True,
            key=self.key(),
        )

    async def on_its_way(self, *, waybill: str = "", **asked: str) -> DeliveryOrder:
        """Asked for, sent and subscribed."""
        delivery_id = await self.asked(**asked)
        await self.send(delivery_id, waybill=waybill or f"{next(_serials):013d}")
        await self.work()
        return await self.order(delivery_id)

    async def push(self, report: Report) -> None:
        """A push kept in the inbox, as the callback does it; worked on by `work`."""
        found = self.carrier.open(self.carrier.push(report))
        await self.keep(found.body, found.waybill)
        await self.work()

    async def keep(self, body: bytes, waybill: str = "") -> None:
        """A genuine push in the inbox."""
        inbox = Inbox(self.needs.outbox, self.needs.cipher, self.clock)
        await inbox.receive(
            system="carrier",
            external_id=new_id(),
            body=body,
            announce=lambda inbox_id: CarrierPushArrived(inbox_id, waybill or "none"),
        )

    async def work(self, *, seconds: float = 0) -> None:
        """Let time pass, then let the worker do what is due."""
        self.clock.advance(seconds=seconds)
        await self.drain.until_idle(rounds=50)

    async def order(self, delivery_id: str) -> DeliveryOrder:
        return await DeliveryOrder.get(id=delivery_id)

    async def timeline(self, delivery_id: str) -> list[tuple[str, str | None]]:
        found = await queries.timeline(self.needs, delivery_id=delivery_id)
        return [(line.text, line.state.value if line.state else None) for line in found]


def desk(*, carriers: Sequence[str] = (EMS,), pushing: bool = True) -> PostDesk:
    clock, carrier = FixedClock(NOON), FakeCarrier(pushing=pushing)
    moves: list[str] = []
    sent: list[str] = []
    ways: list[PaperMoved] = []

    async def subscribe(house: Any, event: Dispatched) -> None:
        await service.subscribe(house.delivery, delivery_id=event.delivery_id)

    async def record_push(house: Any, event: CarrierPushArrived) -> None:
        await service.record_push(house.delivery, inbox_id=event.inbox_id)

    async def poll(house: Any, event: PollDue) -> None:
        await service.poll(house.delivery, delivery_id=event.delivery_id)

    async def told(_: Any, event: StateChanged) -> None:
        moves.append(event.state)

    async def told_paper(_: Any, event: PaperMoved) -> None:
        ways.append(event)

    async def told_sent(_: Any, event: Dispatched) -> None:
        sent.append(event.delivery_id)

    handlers = (
        Handler("delivery.subscribe", Dispatched, subscribe),
        Handler("test.sent", Dispatched, told_sent),
        Handler("delivery.record_push", CarrierPushArrived, record_push),
        Handler("delivery.poll", PollDue, poll),
        Handler("test.moved", StateChanged, told),
        Handler("test.paper", PaperMoved, told_paper),
    )
    cipher = Cipher(KeyRing({"k1": b"1" * 32, "blind": b"b" * 32}, "k1"))
    outbox = Outbox(handlers, clock=clock, wake=lambda: None)
    needs = Needs(clock, outbox, cipher, dict.fromkeys(carriers, carrier), carrier)
    return PostDesk(clock, carrier, needs, Drain(SimpleNamespace(delivery=needs), handlers, clock), moves, sent, ways)
