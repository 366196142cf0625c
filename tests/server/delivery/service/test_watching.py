import pytest

from kit.errors import OutsideError
from kit.failing import failing
from server.delivery.models import DeliveryEvent
from server.delivery.rules import EMS
from tests.factories.deliveries import PostDesk, at, desk

pytestmark = pytest.mark.usefixtures("db")
HOUR = 3600
COLLECTED = (at(1), "103", "已收寄")
DOWN = OutsideError("carrier", "TIMEOUT", "no answer", permanent=False)
REFUSED = OutsideError("carrier", "CODE_700", "refused", permanent=True)


async def sent(post: PostDesk, waybill: str = "1136281381675") -> str:
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=waybill)
    return delivery_id


async def test_a_subscription_is_tried_until_it_is_taken() -> None:
    post = desk()
    broken = failing(post.carrier, [DOWN, DOWN], methods={"subscribe"})
    post = post.through(broken)
    delivery_id = await sent(post)
    await post.work()
    assert (await post.order(delivery_id)).watch == "pending"
    for _ in range(3):
        await post.work(seconds=10)
    assert (await post.order(delivery_id)).watch == "pushed"
    assert [parcel.waybill for parcel in post.carrier.subscribed] == ["1136281381675"]


async def test_a_subscription_whose_answer_is_lost_is_asked_for_again() -> None:
    post = desk()
    post = post.through(failing(post.carrier, [DOWN], after=True, methods={"subscribe"}))
    delivery_id = await sent(post)
    for _ in range(3):
        await post.work(seconds=10)
    assert (await post.order(delivery_id)).watch == "pushed"
    assert len(post.carrier.subscribed) == 1


async def test_a_refused_subscription_leaves_asking() -> None:
    post = desk()
    post = post.through(failing(post.carrier, [REFUSED], methods={"subscribe"}))
    delivery_id = await sent(post)
    await post.work()
    assert (await post.order(delivery_id)).watch == "refused"
    post.carrier.scan(EMS, "1136281381675", COLLECTED)
    await post.work(seconds=2 * HOUR)
    assert (await post.order(delivery_id)).state == "collected"


async def test_silence_is_broken_by_a_question() -> None:
    post = desk()
    delivery_id = await sent(post)
    await post.work()
    post.carrier.scan(EMS, "1136281381675", COLLECTED)
    await post.work(seconds=11 * HOUR)
    assert post.carrier.asked == []
    await post.work(seconds=HOUR)
    assert len(post.carrier.asked) == 1
    assert (await post.order(delivery_id)).state == "collected"
    # A push keeps us silent again.
    await post.push(post.carrier.scan(EMS, "1136281381675", (at(13), "5", "派送"), COLLECTED))
    await post.work(seconds=11 * HOUR)
    assert len(post.carrier.asked) == 1


async def test_a_carrier_that_never_tells_is_asked_every_two_hours() -> None:
    post = desk(pushing=False)
    delivery_id = await sent(post)
    await post.work()
    assert (await post.order(delivery_id)).watch == "polled"
    for _ in range(12):
        await post.work(seconds=HOUR)
    assert len(post.carrier.asked) == 6
    post.carrier.scan(EMS, "1136281381675", (at(12), "301", "本人签收"), COLLECTED)
    for _ in range(6):
        await post.work(seconds=HOUR)
    assert (await post.order(delivery_id)).state == "signed"
    asked = len(post.carrier.asked)
    for _ in range(6):
        await post.work(seconds=HOUR)
    assert len(post.carrier.asked) == asked


async def test_no_parcel_is_asked_for_twice_within_half_an_hour() -> None:
    """Whatever repeats the event: a crash before the answer was taken, or two workers."""
    from server.delivery import service

    post = desk(pushing=False)
    post = post.through(failing(post.carrier, [DOWN] * 3, after=True, methods={"query"}))
    delivery_id = await sent(post)
    await post.work()
    post.clock.advance(seconds=2 * HOUR)
    for _ in range(3):
        await service.poll(post.needs, delivery_id=delivery_id)
    assert len(post.carrier.asked) == 1
    await post.work(seconds=29 * 60)
    assert len(post.carrier.asked) == 1
    await post.work(seconds=2 * HOUR)
    assert len(post.carrier.asked) == 2


async def test_after_sixty_days_staff_are_asked_and_not_the_carrier() -> None:
    post = desk(pushing=False)
    delivery_id = await sent(post)
    await post.work()
    await post.work(seconds=61 * 24 * HOUR)
    order = await post.order(delivery_id)
    assert (order.attention, order.next_poll_at, post.carrier.asked) == ("silent", None, [])
    assert await DeliveryEvent.all().count() == 0
