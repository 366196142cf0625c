import asyncio

import pytest

from kit.ids import new_id
from payments import queries, service
from payments.models import Order, OrderLine, Settlement
from payments.rules import Line, OrderState
from tests.factories.payments import EIGHTY_YUAN, PURPOSE, till

pytestmark = pytest.mark.usefixtures("db")


async def test_an_order_waits_for_its_payer_and_says_so() -> None:
    at = till()
    order = await at.order(lines=(*EIGHTY_YUAN, Line("extra_certificate", "增发证书工本费", 1000)))
    await at.work()

    assert [event.order_id for event in at.opened] == [order.id]
    seen = await queries.order(at.needs, order_id=order.id, payer_id=order.payer_id)
    assert seen is not None
    assert (seen.state, seen.amount_fen, seen.paid_at) == (OrderState.OPEN, 9000, None)
    assert [(line.name, line.amount_fen) for line in seen.lines] == [("不动产登记费", 8000), ("增发证书工本费", 1000)]
    assert await queries.order(at.needs, order_id=order.id, payer_id=new_id()) is None
    assert await queries.order_of(at.needs, purpose=PURPOSE, subject_id=order.subject_id) == seen


async def test_the_same_thing_is_charged_for_once_also_by_two_workers_at_once() -> None:
    at = till()
    subject, payer = new_id(), new_id()
    opened = await asyncio.gather(
        *(
            service.open_order(at.needs, purpose=PURPOSE, subject_id=subject, payer_id=payer, lines=EIGHTY_YUAN)
            for _ in range(6)
        )
    )
    await at.work()

    assert len(set(opened)) == 1
    assert await Order.all().count() == await OrderLine.all().count() == len(at.opened) == 1


async def test_nothing_to_pay_settles_at_once_without_a_wallet() -> None:
    at = till()
    order = await at.order(lines=())
    await at.work()

    assert order.state == OrderState.SETTLED
    assert [event.order_id for event in at.told] == [order.id]
    assert at.opened == []
    settlement = await Settlement.get(order_id=order.id)
    assert (settlement.wallet, settlement.amount_fen) == ("none", 0)
