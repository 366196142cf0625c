import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.db import fetch
from kit.errors import Problem
from kit.idempotency import RequestKey, once
from kit.ids import new_id
from payments import queries, service
from payments.errors import RefundNotAwaiting, RefundNotFound, RefundOwn, RefundTooLarge, RefundTooLate
from payments.models import Order, Refund
from payments.refund_rules import RefundState, needs_second
from tests.factories.payments import Till, till

pytestmark = pytest.mark.usefixtures("db")
FROM = 5000


@pytest.fixture
def at() -> Till:
    made = till()
    made.needs = replace(made.needs, confirmed_from_fen=FROM)
    made.drain.house.payments = made.needs
    return made


async def confirm(at: Till, refund_id: str, staff_id: str) -> str:
    async def command(key: RequestKey) -> str:
        return await service.confirm_refund(at.needs, refund_id=refund_id, staff_id=staff_id, key=key)

    return (await once(at.key(), command, status=200)).result_id


async def decline(at: Till, refund_id: str, staff_id: str) -> str:
    async def command(key: RequestKey) -> str:
        return await service.decline_refund(at.needs, refund_id=refund_id, staff_id=staff_id, reason="重复了", key=key)

    return (await once(at.key(), command, status=200)).result_id


async def waiting(at: Till, fen: int = FROM) -> tuple[Order, Refund]:
    order, _ = await at.settled()
    refund = await at.refund(order, fen)
    assert refund.state == RefundState.AWAITING
    return order, refund


async def audited(refund: Refund) -> list[str]:
    rows = await fetch("SELECT action FROM kit_audit WHERE subject_id = ? ORDER BY id", [refund.id])
    return [row["action"] for row in rows]


@pytest.mark.parametrize(
    ("amount", "earlier", "limit", "needed"),
    [
        (4999, 0, 5000, False),
        (5000, 0, 5000, True),
        (1, 4999, 5000, True),
        (1, 0, 0, True),
        (10**12, 10**12, None, False),
    ],
)
def test_when_a_second_person_is_needed(amount: int, earlier: int, limit: int | None, *, needed: bool) -> None:
    assert needs_second(amount_fen=amount, earlier_fen=earlier, from_fen=limit) is needed


async def test_no_wallet_hears_of_a_refund_before_somebody_else_confirmed_it(at: Till) -> None:
    order, refund = await waiting(at)
    await at.work(seconds=3600)
    assert at.wallet.given_back == {}
    assert [each.id for each in await queries.refunds_awaiting(at.needs)] == [refund.id]
    with pytest.raises(RefundOwn):
        await confirm(at, refund.id, str(refund.asked_by))
    second = new_id()
    await confirm(at, refund.id, second)
    at.wallet.instant = True
    await at.work(seconds=1)
    (shown,) = await queries.refunds(at.needs, order_id=order.id)
    assert (shown.state, shown.decided_by) == (RefundState.SUCCEEDED, second)
    assert at.wallet.returned((await refund.attempt).out_trade_no) == FROM
    assert await queries.refunds_awaiting(at.needs) == []
    assert await audited(refund) == [
        "payments.refund_requested",
        "payments.refund_confirmed",
        "payments.refund_succeeded",
    ]


async def test_parts_of_a_sum_are_no_way_around(at: Till) -> None:
    order, _ = await at.settled()
    assert (await at.refund(order, FROM - 1)).state == RefundState.REQUESTED
    assert (await at.refund(order, 1)).state == RefundState.AWAITING


async def test_what_waits_takes_its_part_of_the_payment_until_it_is_turned_down(at: Till) -> None:
    order, refund = await waiting(at)
    with pytest.raises(RefundTooLarge):
        await at.refund(order, 3001)
    await decline(at, refund.id, new_id())
    for decide in (confirm, decline):
        with pytest.raises(RefundNotAwaiting):
            await decide(at, refund.id, new_id())
    await at.work(seconds=3600)
    assert at.wallet.given_back == {}
    assert (await at.refund(order, 8000)).state == RefundState.AWAITING
    assert (await audited(refund))[-1] == "payments.refund_declined"


async def test_who_asked_may_take_it_back(at: Till) -> None:
    _, refund = await waiting(at)
    await decline(at, refund.id, str(refund.asked_by))
    assert (await Refund.get(id=refund.id)).state == RefundState.CLOSED


async def test_two_decisions_at_once_are_one(at: Till) -> None:
    _, refund = await waiting(at)
    done = await asyncio.gather(
        confirm(at, refund.id, new_id()),
        confirm(at, refund.id, new_id()),
        decline(at, refund.id, new_id()),
        return_exceptions=True,
    )
    assert [type(each) for each in done if isinstance(each, Problem)] == [RefundNotAwaiting] * 2
    decided = await Refund.get(id=refund.id)
    opened = await fetch("SELECT id FROM kit_outbox WHERE ordering_key = ?", [refund.id])
    assert len(opened) == (decided.state == RefundState.REQUESTED)


async def test_a_notice_about_a_refund_that_waits_sends_nothing(at: Till) -> None:
    _, refund = await waiting(at)
    await service.give_back(at.needs, refund_id=refund.id, hinted=True)
    assert at.wallet.given_back == {}


async def test_after_a_year_of_waiting_it_is_too_late(at: Till) -> None:
    _, refund = await waiting(at)
    at.clock.at += timedelta(days=366)
    with pytest.raises(RefundTooLate):
        await confirm(at, refund.id, new_id())
    with pytest.raises(RefundNotFound):
        await confirm(at, new_id(), new_id())


async def test_a_second_payment_waits_for_nobody(at: Till) -> None:
    order = await at.order()
    first, second = await at.pay(order), await at.pay(order, openid="oAnotherPhone")
    for attempt in (first, second):
        at.wallet.pay(attempt.out_trade_no)
    await at.work(seconds=60)
    await at.work(seconds=600)
    assert await queries.refunds_awaiting(at.needs) == []
