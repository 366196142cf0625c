"""Five hundred payments over both wallets, their answers and notices lost, doubled, late, forged and out of order.

Each pays the fee of an application. In the end our ledger, the wallets' books and the applications agree to the fen.
The dice are the same in every run; YICHUANG_CHAOS_SEED takes others.
"""

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError, Problem
from kit.http import HttpClient
from kit.idempotency.errors import StillRunning
from kit.ids import new_id
from kit.outbox import Handler
from kit.outbox.drain import Drain
from kit.outbox.queries import parked
from kit.wallets.alipay.keys import alipay_public_key
from kit.wallets.alipay.notify import AlipayNotices
from payments import callbacks, queries, service
from payments.events import PaymentSettled
from payments.models import Attempt, Order, Refund, Settlement
from payments.providers.alipay import AlipayPayNotices
from payments.refund_rules import RefundState
from payments.rules import ALIPAY, WECHAT, AttemptState, Line, OrderState
from sandbox import credentials
from sandbox.faults import TARGETS, Fault, Kind
from sandbox.server import served as sandbox_served
from sandbox.state import World
from server.applications.events import FeeSettled
from server.applications.models import Application, ApplicationStep, ApplicationTrack
from server.applications.states import Hold, State, TrackState
from server.journeys import fees
from server.journeys.house import House
from tests.factories.applications import world as applications_world
from tests.factories.fees import VERSION, file_due
from tests.factories.payments import Till, till
from tests.payments.providers.test_alipay_on_the_wire import made as real_alipay
from tests.payments.providers.test_wechat_pay_on_the_wire import notices as wechat_notices
from tests.payments.providers.test_wechat_pay_on_the_wire import real as real_wechat
from tests.sandbox.city import City
from tests.support.serving import edge, served

PAYMENTS, AT_ONCE, FAULTS_EACH = 500, 16, 400
PERSON = "P3"
_ANSWERS = (
    "pay.order pay.query pay.close pay.refund pay.refund_query "
    "alipay.trade_create alipay.trade_query alipay.trade_close alipay.refund alipay.refund_query"
)
_NOTICES = "pay.notify pay.refund_notify alipay.notify"
_TOLD_WRONGLY = (Kind.DROP, Kind.DUPLICATE, Kind.WRONG_SIGNATURE, Kind.OUT_OF_ORDER, Kind.STALE_CLOCK, Kind.DELAY)


@dataclass
class Storm:
    """The house with both real providers, and what was done in the wallets (fen by order)."""

    at: Till
    world: World
    dice: random.Random
    paid: dict[str, int] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    """The applications whose fee the registry is to hear of, as often as it is."""

    def address(self, wallet: str, key: str = PERSON) -> str:
        person = self.world.people.get(key)
        assert person is not None
        return person.openid if wallet == WECHAT else person.alipay_open_id

    async def place(self, order: Order, wallet: str, person: str = PERSON) -> Attempt | None:
        """What a phone does: the same request again until there is an answer; None when it was refused."""
        key = self.at.key().key
        for _ in range(30):
            try:
                return await self.at.pay(
                    order, key=self.at.key(key), openid=self.address(wallet, person), wallet=wallet
                )
            except (OutsideError, StillRunning):
                await asyncio.sleep(0.01)
            except Problem:
                return None
        return None

    def tap(self, attempt: Attempt | None, *, late: bool = False) -> None:
        """The payer confirms in the wallet, if it can be paid there; `late`: had confirmed before it was closed."""
        if attempt is None:
            return
        if attempt.wallet == WECHAT:
            order = self.world.orders.get(attempt.out_trade_no)
            if order is None or order.trade_state not in {"NOTPAY", "CLOSED" if late else "NOTPAY"}:
                return
            self.world.announcer.announce(self.world.orders.pay(order))
        else:
            trade = self.world.alipay.trades.get(attempt.out_trade_no)
            if trade is None or trade.status not in {"WAIT_BUYER_PAY", "TRADE_CLOSED" if late else "WAIT_BUYER_PAY"}:
                return
            self.world.alipay.announcer.paid(self.world.alipay.trades.pay(trade))
        self.paid[attempt.order_id] = self.paid.get(attempt.order_id, 0) + attempt.amount_fen

    async def charge(self) -> Order:
        """The fee of an application, no two alike, so that none can stand in another's place."""
        order_id = await service.open_order(
            self.at.needs,
            purpose=fees.PURPOSE,
            subject_id=new_id(),
            payer_id=new_id(),
            lines=[Line("registration", fees.DESCRIPTION, self.dice.randrange(1, 100_000))],
        )
        return await Order.get(id=order_id)

    async def one(self, order: Order) -> None:
        """One resident: most pay once, some on two phones, some change wallets, some never pay."""
        wallets = [WECHAT, ALIPAY]
        self.dice.shuffle(wallets)
        way = self.dice.random()
        first = await self.place(order, wallets[0])
        if way < 0.1:
            # On two phones, or in two wallets: the second closes the first, which had been confirmed in that moment.
            second = await self.place(order, wallets[self.dice.randrange(2)], "P4")
            self.tap(first, late=True)
            self.tap(second)
        elif way < 0.2:
            if self.dice.random() < 0.5:
                self.tap(first)
            self.tap(await self.place(order, wallets[1]))
        elif way < 0.95:
            self.tap(first)

    async def pass_time(self, seconds: float) -> None:
        """Our clock stands still in between, the wallets' does not: put right, or each finds the other's stamps old."""
        self.world.clock.advance(seconds)
        self.at.clock.advance(seconds=(self.world.clock.now() - self.at.clock.now()).total_seconds())
        await self.at.drain.until_idle()


def _order_faults(world: World, dice: random.Random) -> None:
    """Most calls go well; a fault that waits no time stands for that."""
    for target in _ANSWERS.split():
        for _ in range(FAULTS_EACH):
            world.faults.add(_fault_of_an_answer(target, dice.random()))
    for target in _NOTICES.split():
        for _ in range(FAULTS_EACH):
            kind = dice.choice(_TOLD_WRONGLY) if dice.random() < 0.4 else Kind.DELAY
            world.faults.add(Fault(target, kind, seconds=0.05 if kind is Kind.OUT_OF_ORDER else 0.0))


def _fault_of_an_answer(target: str, roll: float) -> Fault:
    """Each of these to three in a hundred; Alipay's answers carry no time that could be stale."""
    faults = [
        Fault(target, Kind.DROP),
        Fault(target, Kind.DROP, after=True),
        Fault(target, Kind.STATUS, status=500),
        Fault(target, Kind.WRONG_SIGNATURE),
        Fault(target, Kind.DELAY, seconds=0.05),
    ]
    if Kind.STALE_CLOCK in TARGETS[target]:
        faults.append(Fault(target, Kind.STALE_CLOCK))
    place = int(roll / 0.03)
    return faults[place] if place < len(faults) else Fault(target, Kind.DELAY)


def _journeys(dice: random.Random, heard: list[str]) -> tuple[Handler, ...]:
    """What the house does about a settled fee; one in ten is told twice, as after a crash before its row was done."""

    async def settled(house: Any, event: PaymentSettled) -> None:
        await fees.settled(house, event)
        if dice.random() < 0.1:
            await fees.settled(house, event)

    async def fee_settled(_: Any, event: FeeSettled) -> None:
        heard.append(event.application_id)

    return Handler("fees.settled", PaymentSettled, settled), Handler("test.fee_settled", FeeSettled, fee_settled)


@pytest.fixture
async def storm(db: object, tmp_path: Path) -> AsyncIterator[Storm]:
    seed = int(os.environ.get("YICHUANG_CHAOS_SEED") or 500)
    credentials.init(tmp_path)
    dice = random.Random(seed)  # noqa: S311 - to be played again
    heard: list[str] = []
    plain = till(FixedClock(datetime.now(UTC)), also=_journeys(dice, heard))
    rooms = applications_world(tmp_path / "files").needs
    rooms = replace(rooms, clock=plain.clock, outbox=plain.needs.outbox)
    async with (
        sandbox_served(tmp_path, time_scale=0.001) as running,
        httpx.AsyncClient(base_url=running.url, timeout=5, trust_env=False) as http,
    ):
        city, outgoing = City(http, tmp_path / "credentials"), HttpClient("wallets")
        wechat = real_wechat(city, outgoing, running.url, plain.clock)
        alipay = real_alipay(city, outgoing, running.url, plain.clock)
        opens = {
            WECHAT: wechat_notices(city, plain.clock),
            ALIPAY: AlipayPayNotices(AlipayNotices(alipay_public_key(city.secret("alipay_public_key.pem")))),
        }
        unset = "http://unset.invalid"
        at = plain.through(wechat(unset), opens[WECHAT]).through(alipay(unset), opens[ALIPAY], wallet=ALIPAY)
        async with served([callbacks.blueprint(at.needs, edge(clock=plain.clock))]) as base:
            pay, other = wechat(f"{base}/callbacks/wechat_pay"), alipay(f"{base}/callbacks/alipay")
            at = plain.through(pay, opens[WECHAT], pay).through(other, opens[ALIPAY], other, wallet=ALIPAY)
            house = cast("House", SimpleNamespace(payments=at.needs, applications=rooms))
            at.drain = Drain(house, at.drain.handlers, at.clock, concurrency=AT_ONCE)
            _order_faults(running.world, dice)
            yield Storm(at, running.world, dice, heard=heard)
        await outgoing.aclose()
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("empty_database", ["mariadb"], indirect=True)
async def test_the_books_agree_to_the_fen_whatever_goes_wrong(storm: Storm) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(order: Order) -> None:
        async with slots:
            await storm.one(order)

    orders = [await storm.charge() for _ in range(PAYMENTS)]
    await file_due(orders, at=storm.at.clock.now())
    await asyncio.gather(*(one(order) for order in orders))
    await _settle_down(storm)
    settled = [order for order in await Order.all() if order.state == OrderState.SETTLED]
    for order in settled[::10]:
        await storm.at.refund(order, storm.dice.randrange(1, order.amount_fen + 1))
    await _settle_down(storm)

    await _agree(storm, {order.id for order in settled})
    await _applications_agree(storm)


async def _settle_down(storm: Storm) -> None:
    for _ in range(12):
        await storm.pass_time(240)
        await asyncio.sleep(0.05)
        waiting = await Attempt.filter(state__in=[AttemptState.PREPARING.value, AttemptState.READY.value]).count()
        open_refunds = await Refund.exclude(state__in=[RefundState.SUCCEEDED.value, RefundState.CLOSED.value]).count()
        if not open_refunds and not waiting:
            return
    await storm.pass_time(3600)
    await storm.pass_time(600)


async def _agree(storm: Storm, settled: set[str]) -> None:
    at = storm.at
    assert settled == set(storm.paid)
    subjects = {order.id: order.subject_id for order in await Order.all()}
    assert sorted((told.order_id, told.subject_id) for told in at.told) == sorted(
        (order_id, subjects[order_id]) for order_id in settled
    )
    settlements = await Settlement.all()
    amounts = {order.id: order.amount_fen for order in await Order.all()}
    assert sorted(each.order_id for each in settlements) == sorted(settled)
    assert [each.amount_fen for each in settlements] == [amounts[each.order_id] for each in settlements]

    refunds = await Refund.all()
    assert {each.state for each in refunds} == {RefundState.SUCCEEDED.value}
    assert sorted(told.refund_id for told in at.returned) == sorted(each.id for each in refunds)
    theirs = {each.out_refund_no: each.amount for each in storm.world.refunds.books.all() if each.status == "SUCCESS"}
    trades = storm.world.alipay.trades.all()
    theirs |= {each["out_request_no"]: each["amount"] for trade in trades for each in trade.refunds}
    assert theirs == {each.out_refund_no: each.amount_fen for each in refunds}

    came_in = sum(order.total for order in storm.world.orders.all() if order.trade_state == "SUCCESS")
    came_in += sum(trade.total for trade in trades if trade.was_paid)
    by_staff = sum(each.amount_fen for each in refunds if each.slot is None)
    assert came_in == sum(storm.paid.values())
    assert came_in - sum(theirs.values()) == sum(each.amount_fen for each in settlements) - by_staff
    assert any(each.slot for each in refunds)
    assert await queries.discrepancies(at.needs) == []
    assert await parked() == []


async def _applications_agree(storm: Storm) -> None:
    """Each application says of its fee what the ledger and the payer's wallet say, and has been told once."""
    orders = {order.id: order for order in await Order.all()}
    ledger = {orders[each.order_id].subject_id: each for each in await Settlement.all()}
    applications = await Application.all()
    assert len(applications) == PAYMENTS
    paid = {row.id: row for row in applications if row.fee_paid_at is not None}
    assert {
        key: (row.fee_order_id, row.fee_amount_fen, row.fee_paid_at, row.fee_transaction_id)
        for key, row in paid.items()
    } == {key: (each.order_id, each.amount_fen, each.paid_at, each.transaction_id) for key, each in ledger.items()}
    books = _payments_in_the_wallets(storm.world)
    assert all(books.get(str(row.fee_transaction_id)) == row.fee_amount_fen for row in paid.values())

    kept = sum(books.values()) - sum(each.amount_fen for each in await Refund.all() if each.slot)
    assert sum(row.fee_amount_fen or 0 for row in paid.values()) == kept

    assert {row.state for row in applications} == {State.ACCEPTED.value}
    assert {(row.hold, row.version) for row in paid.values()} == {(None, VERSION + 1)}
    unpaid = [row for row in applications if row.id not in paid]
    assert {row.id for row in unpaid} == {order.subject_id for order in orders.values() if order.id not in storm.paid}
    assert {(row.hold, row.version, row.fee_transaction_id) for row in unpaid} == {(Hold.PAYMENT.value, VERSION, None)}
    assert all(row.fee_amount_fen == orders[str(row.fee_order_id)].amount_fen for row in unpaid)

    assert sorted(storm.heard) == sorted(paid)
    steps = await ApplicationStep.filter(code="fee")
    assert sorted(each.application_id for each in steps) == sorted(paid)
    tracks = await ApplicationTrack.filter(state=TrackState.DONE)
    assert sorted(each.application_id for each in tracks) == sorted(paid)


def _payments_in_the_wallets(world: World) -> dict[str, int]:
    """What came in by the wallets' own numbers, in fen; given back or not."""
    books = {str(each.transaction_id): each.total for each in world.orders.all() if each.transaction_id}
    return books | {each.trade_no: each.total for each in world.alipay.trades.all() if each.was_paid}
