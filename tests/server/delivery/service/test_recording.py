"""However a carrier's lists arrive, the timeline is the same."""

import random
from dataclasses import replace

import pytest

from kit.db import fetch
from server.delivery import queries
from server.delivery.models import DeliveryEvent, DeliveryOrder, DeliveryStray
from server.delivery.rules import Report
from server.delivery.states import Watch
from server.terms.scope import Scope
from tests.factories.deliveries import PostDesk, at, desk

pytestmark = pytest.mark.usefixtures("db")
COLLECTED = (at(1), "103", "已收寄")
LEFT = (at(2), "1002", "离开邮件处理中心")
ARRIVED = (at(3), "1001", "到达")
DELIVERING = (at(4), "5", "正在派送，投递员：赵师傅")
FAILED = (at(5), "204", "电话无人接听")
SIGNED = (at(6), "301", "本人签收")


def lists(desk_: PostDesk, waybill: str) -> list[Report]:
    """What a carrier pushes of one parcel: growing, with one line late, one taken back, and the oldest cut off."""
    wrong = (at(4.5), "303", "他人代收（误操作）")
    grown = [
        (COLLECTED,),
        (LEFT, COLLECTED),
        (DELIVERING, LEFT, COLLECTED),
        (DELIVERING, ARRIVED, LEFT, COLLECTED),
        (wrong, DELIVERING, ARRIVED, LEFT, COLLECTED),
        (FAILED, DELIVERING, ARRIVED, LEFT, COLLECTED),
        (SIGNED, FAILED, DELIVERING, ARRIVED, LEFT),
    ]
    return [desk_.carrier.scan("ems", waybill, *each) for each in grown]


async def test_the_timeline_of_an_orderly_way() -> None:
    post = desk()
    order = await post.on_its_way()
    for report in lists(post, order.waybill or ""):
        await post.push(report)
    assert await post.timeline(order.id) == [
        ("本人签收", "signed"),
        ("电话无人接听", "problem"),
        ("正在派送，投递员：赵师傅", "delivering"),
        ("到达", "transit"),
        ("离开邮件处理中心", "transit"),
        ("已收寄", "collected"),
    ]
    done = await post.order(order.id)
    assert (done.state, done.signed_by, done.signed_at, done.attention) == ("signed", "self", at(6), None)
    assert (done.raw_state, done.last_event_at) == ("301", at(6))
    # Leaving a problem is as well told as coming into it.
    assert post.moves == ["collected", "transit", "delivering", "signed", "problem", "signed"]
    texts = " ".join(str(row["text_sealed"]) for row in await fetch("SELECT text_sealed FROM delivery_event"))
    assert "赵师傅" not in texts


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_and_repetition_ends_in_the_same_timeline(seed: int) -> None:
    post, dice = desk(), random.Random(seed)  # noqa: S311 - an order to try
    straight = await post.on_its_way()
    for report in lists(post, straight.waybill or ""):
        await post.push(report)
    mixed = await post.on_its_way()
    shuffled = lists(post, mixed.waybill or "") * 2
    dice.shuffle(shuffled)
    for report in shuffled:
        await post.push(report)
    assert await post.timeline(mixed.id) == await post.timeline(straight.id)
    one, other = await post.order(straight.id), await post.order(mixed.id)
    for name in ("state", "raw_state", "signed_by", "signed_at", "attention", "list_rank", "last_event_at", "live_key"):
        if name == "live_key":
            assert (one.live_key == one.certificate_id) == (other.live_key == other.certificate_id)
        else:
            assert getattr(one, name) == getattr(other, name), name
    keys = [(row["order_id"], row["digest"]) for row in await fetch("SELECT order_id, digest FROM delivery_event")]
    assert len(keys) == len(set(keys))


async def test_an_older_list_rolls_nothing_back() -> None:
    post = desk()
    order = await post.on_its_way()
    waybill = order.waybill or ""
    old = post.carrier.scan("ems", waybill, LEFT, COLLECTED)
    await post.push(post.carrier.scan("ems", waybill, SIGNED, DELIVERING, LEFT, COLLECTED))
    rows = await DeliveryEvent.all().count()
    await post.push(old)
    assert (await post.order(order.id)).state == "signed"
    assert post.moves == ["signed"]
    assert await DeliveryEvent.all().count() == rows


@pytest.mark.parametrize(
    ("code", "by", "attention"),
    [("303", "other", "signed_by_other"), ("304", "locker", "signed_by_other"), ("3", None, "signer_unknown")],
)
async def test_a_parcel_that_its_receiver_did_not_sign_for(code: str, by: str | None, attention: str) -> None:
    post = desk()
    order = await post.on_its_way()
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(6), code, "签收"), COLLECTED))
    done = await post.order(order.id)
    assert (done.state, done.signed_by, done.attention) == ("signed", by, attention)
    (shown,) = await queries.listed(post.needs, scope=Scope.all(), attention=True)
    assert shown.id == order.id


async def test_a_returned_paper_may_be_asked_for_again() -> None:
    post = desk()
    order = await post.on_its_way()
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(6), "4", "退件已签收"), COLLECTED))
    done = await post.order(order.id)
    assert (done.state, done.live_key, done.attention) == ("returned", None, "not_taken")
    again = await post.asked(certificate_id=order.certificate_id)
    # And if it was signed for after all, the second request keeps its place.
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(7), "301", "本人签收"), COLLECTED))
    assert ((await post.order(order.id)).state, (await post.order(order.id)).live_key) == ("signed", None)
    assert (await post.order(again)).live_key == order.certificate_id


async def test_a_mistaken_return_takes_its_place_again() -> None:
    post = desk()
    order = await post.on_its_way()
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(6), "4", "退件已签收"), COLLECTED))
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(7), "5", "正在派送"), COLLECTED))
    assert (await post.order(order.id)).live_key == order.certificate_id


async def test_giving_up_and_coming_to_the_end() -> None:
    post = desk()
    order = await post.on_its_way()
    waybill = order.waybill or ""
    report = post.carrier.scan("ems", waybill, COLLECTED)
    await post.push(report)
    await post.push(replace(report, aborted=True))
    silent = await post.order(order.id)
    assert (silent.watch, silent.state, silent.attention) == ("aborted", "collected", "silent")
    await post.push(post.carrier.scan("ems", waybill, DELIVERING, COLLECTED))
    back = await post.order(order.id)
    assert (back.watch, back.state, back.attention) == ("pushed", "delivering", None)
    await post.push(replace(post.carrier.scan("ems", waybill, SIGNED, DELIVERING, COLLECTED), ended=True))
    assert (await post.order(order.id)).watch == Watch.ENDED
    nothing = replace(report, entries=(), raw_state="", state=None, aborted=True)
    await post.push(nothing)
    assert ((await post.order(order.id)).state, (await post.order(order.id)).attention) == ("signed", None)


async def test_a_number_that_was_another_carriers() -> None:
    """Whatever comes in what order, the right carrier's list is the timeline, and the wrong one's is gone."""
    for mixed in (False, True):
        post = desk()
        order = await post.on_its_way()
        waybill = order.waybill or ""
        wrong = post.carrier.scan("ems", waybill, SIGNED, COLLECTED)
        right = replace(post.carrier.scan("youzhengguonei", waybill, DELIVERING, COLLECTED), corrects="ems")
        foreign = post.carrier.scan("yuantong", waybill, SIGNED)
        for report in (right, foreign, wrong, right) if mixed else (wrong, foreign, right, wrong):
            await post.push(report)
        moved = await post.order(order.id)
        assert (moved.carrier, moved.state, moved.signed_at) == ("youzhengguonei", "delivering", None)
        assert [text for text, _ in await post.timeline(order.id)] == ["正在派送，投递员：赵师傅", "已收寄"]


async def test_an_unknown_waybill_is_one_row_and_nothing_else() -> None:
    post = desk()
    order = await post.on_its_way()
    for _ in range(2):
        await post.push(post.carrier.scan("ems", "1136281381675", SIGNED))
    (stray,) = await queries.strays(post.needs)
    assert (stray.fault, stray.waybill) == ("unknown_waybill", "1136281381675")
    assert await DeliveryEvent.all().count() == 0
    assert (await post.order(order.id)).state == "dispatched"
    assert await DeliveryOrder.all().count() == 1
    # Explained by the clerk who was slower than the carrier.
    await post.send(await post.asked(), waybill="1136281381675")
    assert await queries.strays(post.needs) == []
    assert await DeliveryStray.all().count() == 1


async def test_a_push_that_cannot_be_read_is_a_row_and_holds_nothing_up() -> None:
    post = desk()
    await post.keep(b'{"lines": 7}')
    await post.work()
    (stray,) = await queries.strays(post.needs)
    assert (stray.fault, stray.waybill) == ("unreadable", "")
    assert await fetch("SELECT id FROM kit_outbox") == []


async def test_lines_from_the_future_are_a_row_for_staff_and_freeze_nothing() -> None:
    post = desk()
    order = await post.on_its_way()
    waybill = order.waybill or ""
    await post.push(post.carrier.scan("ems", waybill, COLLECTED))
    await post.push(post.carrier.scan("ems", waybill, (at(30 * 24), "0", "预计送达"), COLLECTED))
    assert await post.timeline(order.id) == [("已收寄", "collected")]
    (stray,) = await queries.strays(post.needs)
    assert stray.fault == "unreadable"
    await post.push(post.carrier.scan("ems", waybill, SIGNED, COLLECTED))
    assert (await post.order(order.id)).state == "signed"


async def test_what_became_of_a_waybill_before_it_was_ours_is_not_told() -> None:
    post = desk()
    order = await post.on_its_way()
    former = post.carrier.scan("ems", order.waybill or "", (at(-400 * 24), "301", "本人签收"))
    await post.push(former)
    found = await post.order(order.id)
    assert (found.state, found.signed_by, await post.timeline(order.id)) == ("dispatched", None, [])
    entered_late = post.carrier.scan("ems", order.waybill or "", (at(-3 * 24), "103", "已收寄"))
    await post.push(entered_late)
    assert await post.timeline(order.id) == [("已收寄", "collected")]


async def test_a_carriers_words_are_one_line_that_can_be_seen() -> None:
    post = desk()
    order = await post.on_its_way()
    await post.push(post.carrier.scan("ems", order.waybill or "", (at(1), "103", "已收寄\x00\u202e收 \n寄")))
    assert await post.timeline(order.id) == [("已收寄 收 寄", "collected")]
