"""What a resident hears of a parcel that did not go the straight way: the right number, a loss, a request not sent."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from notifications import queries as inbox
from server.delivery import service
from server.delivery.events import Dispatched, StateChanged
from server.delivery.states import Settlement
from server.journeys.house import House
from server.journeys.telling import deliveries as telling
from tests.factories import notifications
from tests.factories.deliveries import CLERK, HERE, WAYBILL, PostDesk, at, desk

pytestmark = pytest.mark.usefixtures("db")


class Ear:
    """Who listens at a post desk, and what they were told: (title, body) each, oldest first."""

    def __init__(self) -> None:
        self.post = desk()
        self.house = cast(
            "House",
            SimpleNamespace(clock=self.post.clock, delivery=self.post.needs, notifications=notifications.desk().needs),
        )

    async def told(self, resident_id: str) -> list[str]:
        found = await inbox.inbox(self.house.notifications, recipient=resident_id)
        return [each.body for each in reversed(found)]

    async def moved(self, delivery_id: str, state: str) -> None:
        for _ in range(2):
            await telling.moved(self.house, StateChanged(delivery_id, state, at(1).isoformat()))


async def settled(post: PostDesk, delivery_id: str, outcome: Settlement) -> Any:
    given = {"staff_id": CLERK, "scope": HERE, "delivery_id": delivery_id, "note": "已核实", "key": post.key()}
    await service.settle(post.needs, outcome=outcome, **given)
    return await post.order(delivery_id)


async def test_who_was_told_a_mistyped_number_is_told_the_right_one() -> None:
    ear = Ear()
    order = await ear.post.on_its_way(waybill="1136281381675")
    await telling.dispatched(ear.house, Dispatched(order.id))
    await service.correct_waybill(
        ear.post.needs,
        staff_id=CLERK,
        scope=HERE,
        delivery_id=order.id,
        carrier="ems",
        waybill=WAYBILL,
        reason="录入错误",
        key=ear.post.key(),
    )
    for _ in range(2):
        await telling.dispatched(ear.house, Dispatched(order.id))
    told = await ear.told(order.resident_id)
    assert [number in body for body, number in zip(told, ("1136281381675", WAYBILL), strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [(Settlement.LOST, "登记机构已核实邮件丢失"), (Settlement.RETURNED, "登记机构已收到退件")],
)
async def test_an_end_without_the_paper_is_told_once(outcome: Settlement, says: str) -> None:
    ear = Ear()
    order = await ear.post.on_its_way()
    done = await settled(ear.post, order.id, outcome)
    await ear.moved(order.id, done.state)
    (body,) = await ear.told(order.resident_id)
    assert says in body


async def test_a_request_that_is_not_sent_is_told_and_one_taken_back_is_not() -> None:
    ear = Ear()
    wish = await ear.post.asked()
    done = await settled(ear.post, wish, Settlement.NOT_SENT)
    await ear.moved(wish, done.state)
    (body,) = await ear.told(done.resident_id)
    assert "登记机构未能寄出" in body
    own = await ear.post.asked()
    resident = (await ear.post.order(own)).resident_id
    await service.cancel(ear.post.needs, resident_id=resident, delivery_id=own, key=ear.post.key())
    await ear.post.work()
    assert (await ear.told(resident), ear.post.moves) == ([], ["cancelled"])
