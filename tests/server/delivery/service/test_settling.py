"""What no carrier tells: a mistyped number, a parcel lost, come back or handed over; nobody is stuck with it."""

import pytest

from kit.db import fetch
from server.delivery import queries, service
from server.delivery.errors import DeliveryNotFound, DeliveryStateWrong, WaybillUsed
from server.delivery.models import DeliveryEvent, DeliveryOrder, DeliveryStray
from server.delivery.ports import Parcel
from server.delivery.states import Settlement
from server.terms.errors import TermError
from server.terms.scope import Scope
from tests.factories.deliveries import CLERK, HERE, PostDesk, at, desk
from tests.support.moments import NOON

pytestmark = pytest.mark.usefixtures("db")
RIGHT = "EK123456785CN"
NOTE = "已与收件人通话核实"


async def correct(post: PostDesk, delivery_id: str, waybill: str, *, scope: Scope = HERE, key: str = "") -> str:
    return await service.correct_waybill(
        post.needs,
        staff_id=CLERK,
        scope=scope,
        delivery_id=delivery_id,
        carrier="ems",
        waybill=waybill,
        reason="面单录入错误",
        key=post.key(key),
    )


async def settle(post: PostDesk, delivery_id: str, outcome: Settlement, *, scope: Scope = HERE) -> str:
    return await service.settle(
        post.needs, staff_id=CLERK, scope=scope, delivery_id=delivery_id, outcome=outcome, note=NOTE, key=post.key()
    )


async def test_a_mistyped_number_is_put_right_and_the_other_parcels_way_forgotten() -> None:
    post = desk()
    order = await post.on_its_way(waybill="1136281381675")
    await post.push(post.carrier.scan("ems", "1136281381675", (at(3), "301", "他人的邮件，本人签收")))
    assert (await post.order(order.id)).state == "signed"
    await correct(post, order.id, RIGHT)
    fresh = await post.order(order.id)
    assert (fresh.state, fresh.waybill, fresh.watch) == ("dispatched", RIGHT, "pending")
    assert (fresh.signed_at, fresh.signed_by, fresh.attention, fresh.last_event_at) == (None, None, None, None)
    assert await post.timeline(order.id) == []
    assert await DeliveryEvent.filter(order_id=order.id).count() == 0
    await post.work()
    assert [parcel.waybill for parcel in post.carrier.subscribed] == ["1136281381675", RIGHT]
    assert post.sent == [order.id, order.id]
    await post.push(post.carrier.scan("ems", "1136281381675", (at(4), "4", "退回")))
    await post.push(post.carrier.scan("ems", RIGHT, (at(2), "103", "已收寄")))
    assert await post.timeline(order.id) == [("已收寄", "collected")]
    assert (await post.order(order.id)).state == "collected"
    (row,) = await fetch("SELECT details, reason FROM kit_audit WHERE action = 'delivery.waybill_corrected'")
    assert ("1136281381675" in row["details"], row["reason"]) == (True, "面单录入错误")


async def test_the_right_number_is_subscribed_though_the_wrong_ones_answer_comes_late() -> None:
    """The clerk corrects it while the carrier is being asked about the wrong one."""
    post = desk()
    carrier = post.carrier

    class Slow:
        """Corrects the number before it answers, the first time."""

        async def subscribe(self, parcel: Parcel) -> bool:
            taken = await carrier.subscribe(parcel)
            if parcel.waybill != RIGHT:
                await correct(post, order_id, RIGHT)
            return taken

        query = carrier.query

    order_id = await post.asked()
    slow = post.through(Slow())
    await slow.send(order_id, waybill="1136281381675")
    await slow.work()
    order = await post.order(order_id)
    assert [parcel.waybill for parcel in carrier.subscribed] == ["1136281381675", RIGHT]
    assert (order.waybill, order.watch, order.next_poll_at is None) == (RIGHT, "pushed", False)


async def test_what_cannot_be_corrected() -> None:
    post = desk()
    waiting, sent, other = await post.asked(), await post.on_its_way(), await post.on_its_way(waybill=RIGHT)
    with pytest.raises(DeliveryStateWrong):
        await correct(post, waiting, "1136281381675")
    with pytest.raises(WaybillUsed):
        await correct(post, sent.id, RIGHT)
    with pytest.raises(TermError):
        await correct(post, sent.id, "EK123456784CN")
    with pytest.raises(DeliveryNotFound):
        await correct(post, sent.id, "1136281381675", scope=Scope.of("320115"))
    await settle(post, other.id, Settlement.LOST)
    with pytest.raises(DeliveryStateWrong):
        await correct(post, other.id, "1136281381675")


@pytest.mark.parametrize(
    ("outcome", "state", "free"),
    [
        (Settlement.LOST, "lost", True),
        (Settlement.RETURNED, "returned", True),
        (Settlement.HANDED_OVER, "signed", False),
    ],
)
async def test_a_parcel_of_which_the_carrier_says_nothing_more(outcome: Settlement, state: str, *, free: bool) -> None:
    post = desk()
    order = await post.on_its_way()
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(1), "14", "拒收")))
    await settle(post, order.id, outcome)
    await post.work()
    done = await post.order(order.id)
    assert (done.state, done.attention, done.settled_by, done.live_key is None) == (state, None, CLERK, free)
    view = await queries.by_id(post.needs, delivery_id=order.id)
    assert (view.settled_as, view.settlement) == (outcome, NOTE)
    assert NOTE not in str(await fetch("SELECT * FROM delivery_order"))
    assert post.moves[-1] == state
    if free:
        assert await post.asked(certificate_id=order.certificate_id)


async def test_a_request_that_cannot_be_sent_is_given_back() -> None:
    post = desk()
    wish = await post.asked()
    for never in (Settlement.HANDED_OVER, Settlement.RETURNED, Settlement.LOST):
        with pytest.raises(DeliveryStateWrong):
            await settle(post, wish, never)
    await settle(post, wish, Settlement.NOT_SENT)
    await post.work()
    order = await post.order(wish)
    assert (order.state, order.live_key, post.moves) == ("cancelled", None, ["cancelled"])
    with pytest.raises(DeliveryNotFound):
        await settle(post, wish, Settlement.NOT_SENT, scope=Scope.of("320115"))


async def test_a_later_line_of_the_carrier_is_news_and_an_earlier_one_is_not() -> None:
    post = desk()
    order = await post.on_its_way()
    post.clock.advance(seconds=10 * 3600)
    await settle(post, order.id, Settlement.LOST)
    lines = [(at(2), "103", "已收寄"), (at(9), "1002", "离开")]
    await post.push(post.carrier.scan("ems", order.waybill or "", *lines))
    late = await post.order(order.id)
    assert (late.state, late.settled_as, late.live_key) == ("lost", "lost", None)
    assert await post.timeline(order.id) == [("离开", "transit"), ("已收寄", "collected")]
    await post.push(post.carrier.scan("ems", order.waybill or "", *lines, (at(11), "301", "本人签收")))
    found = await post.order(order.id)
    assert (found.state, found.settled_as, found.live_key) == ("signed", None, order.certificate_id)


async def test_a_paper_that_was_asked_for_again_is_not_handed_over_twice() -> None:
    post = desk()
    order = await post.on_its_way()
    await settle(post, order.id, Settlement.RETURNED)
    again = await post.asked(certificate_id=order.certificate_id)
    with pytest.raises(DeliveryStateWrong):
        await settle(post, order.id, Settlement.HANDED_OVER)
    assert (await post.order(order.id)).state == "returned"
    await settle(post, again, Settlement.NOT_SENT)
    await settle(post, order.id, Settlement.HANDED_OVER)
    assert (await post.order(order.id)).live_key == order.certificate_id


def look_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look at what is taken comes before a colleague's commit: only the unique key knows."""
    real = DeliveryOrder.exists
    looks: list[object] = []

    async def exists(**wanted: object) -> bool:
        looks.append(wanted)
        return len(looks) > 1 and await real(**wanted)

    monkeypatch.setattr(DeliveryOrder, "exists", exists)


@pytest.mark.parametrize("corrected", [False, True])
async def test_two_clerks_with_one_number(monkeypatch: pytest.MonkeyPatch, *, corrected: bool) -> None:
    post = desk()
    await post.on_its_way(waybill=RIGHT)
    mine = (await post.on_its_way()).id if corrected else await post.asked()
    look_too_early(monkeypatch)
    with pytest.raises(WaybillUsed):
        await (correct(post, mine, RIGHT) if corrected else post.send(mine, waybill=RIGHT))
    assert (await post.order(mine)).waybill != RIGHT


async def test_a_paper_handed_over_while_its_certificate_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    post = desk()
    order = await post.on_its_way()
    await settle(post, order.id, Settlement.RETURNED)
    again = await post.asked(certificate_id=order.certificate_id)
    look_too_early(monkeypatch)
    with pytest.raises(DeliveryStateWrong):
        await settle(post, order.id, Settlement.HANDED_OVER)
    assert ((await post.order(order.id)).state, (await post.order(again)).state) == ("returned", "requested")


async def test_what_was_looked_at_leaves_the_lists() -> None:
    post = desk()
    order = await post.on_its_way()
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(1), "303", "门卫代收")))
    assert [each.id for each in await queries.listed(post.needs, scope=HERE, attention=True)] == [order.id]
    await settle(post, order.id, Settlement.HANDED_OVER)
    assert await queries.listed(post.needs, scope=HERE, attention=True) == []
    await post.push(post.carrier.scan("ems", "1111111111111", (at(1), "103", "x")))
    (stray,) = await queries.strays(post.needs)
    explained = {"staff_id": CLERK, "stray_id": stray.id, "reason": "已向快递公司核实"}
    await service.explain_stray(post.needs, **explained, key=post.key())
    assert (await queries.strays(post.needs), await DeliveryStray.all().count()) == ([], 1)
    with pytest.raises(DeliveryNotFound):
        await service.explain_stray(post.needs, **explained, key=post.key())


async def test_the_paper_is_told_of_where_it_is_elsewhere_and_only_then() -> None:
    post = desk()
    order = await post.on_its_way(waybill=RIGHT)
    for hour, code in ((1, "103"), (2, "1002"), (3, "303"), (4, "301"), (5, "4")):
        await post.push(post.carrier.scan("ems", RIGHT, (at(hour), code, "x")))
    with pytest.raises(DeliveryStateWrong):
        await settle(post, order.id, Settlement.LOST)
    await post.work()
    told = [(each.way, each.happened_at, each.certificate_id) for each in post.ways]
    assert told == [
        ("posted", NOON.isoformat(), order.certificate_id),
        ("handed_over", at(4).isoformat(), order.certificate_id),
        ("kept", at(5).isoformat(), order.certificate_id),
    ]
    assert [each.ordering_key for each in post.ways] == [order.certificate_id] * 3
