import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from sandbox.faults import TARGETS, Fault, Faults, Kind
from sandbox.server import Running
from tests.sandbox.city import City, Receiver

Order = Callable[..., Awaitable[None]]
NOTIFYING = [target for target in TARGETS if target.endswith("notify")]
ANSWERING = [target for target in TARGETS if target not in NOTIFYING]


@pytest.mark.parametrize("target", ANSWERING)
def test_every_answer_can_be_late_lost_or_refused(target: str) -> None:
    assert {Kind.DELAY, Kind.DROP, Kind.STATUS} <= TARGETS[target]
    assert not {Kind.DUPLICATE, Kind.OUT_OF_ORDER} & TARGETS[target]


@pytest.mark.parametrize("target", NOTIFYING)
def test_every_notification_can_be_late_lost_repeated_forged_or_out_of_order(target: str) -> None:
    wanted = {Kind.DELAY, Kind.DROP, Kind.DUPLICATE, Kind.WRONG_SIGNATURE, Kind.OUT_OF_ORDER}
    assert wanted <= TARGETS[target]
    assert Kind.STATUS not in TARGETS[target]


@pytest.mark.parametrize("target", TARGETS)
def test_a_stamp_can_be_stale_where_there_is_one(target: str) -> None:
    stamped = target.startswith(("pay.", "tax.", "departments.")) and target != "pay.bill_download"
    assert (Kind.STALE_CLOCK in TARGETS[target]) == (stamped or target == "alipay.notify")


@pytest.mark.parametrize("target", TARGETS)
def test_each_kind_is_taken_where_it_means_something_and_refused_elsewhere(target: str) -> None:
    for kind in Kind:
        faults = Faults()
        if kind in TARGETS[target]:
            faults.add(Fault(target, kind))
            taken = faults.take(target)
            assert taken is not None
            assert taken.kind is kind
            assert faults.take(target) is None
        else:
            with pytest.raises(ValueError, match=target):
                faults.add(Fault(target, kind))


async def notified(city: City, receiver: Receiver, *numbers: str) -> None:
    for number in numbers:
        prepay_id = await city.order(number, notify_url=receiver.url)
        answer = await city.control("POST", "/wx/pay", **city.payment(prepay_id))
        assert answer["result"] == "ok"


def numbers_told(running: Running, received: list[tuple[dict[str, str], bytes]]) -> list[str]:
    """The numbers told of, in the order they arrived."""
    deliveries = [entry for entry in running.world.books.read("deliveries") if entry["status"] == 204]
    assert len(deliveries) == len(received)
    return [entry["subject"] for entry in deliveries]


async def test_two_notifications_change_places(city: City, running: Running, receiver: Receiver, fault: Order) -> None:
    await fault("pay.notify", "out_of_order")
    await notified(city, receiver, "first0", "second0")
    received = await receiver.wait_for(2)
    await until_written(running, 2)
    assert numbers_told(running, received) == ["second0", "first0"]


async def test_one_that_nothing_passes_goes_at_last(
    city: City, running: Running, receiver: Receiver, fault: Order
) -> None:
    await fault("pay.notify", "out_of_order", seconds=0.3)
    begun = time.monotonic()
    await notified(city, receiver, "alone0")
    received = await receiver.wait_for(1)
    assert time.monotonic() - begun >= 0.3, "it was not held back"
    await until_written(running, 1)
    assert numbers_told(running, received) == ["alone0"]
    assert running.world.faults.pending() == []


async def test_a_notification_with_an_old_stamp(city: City, receiver: Receiver, fault: Order) -> None:
    await fault("pay.notify", "stale_clock")
    await fault("pay.notify", "stale_clock", seconds=1000)
    receiver.statuses[:] = [401, 401, 204]
    await notified(city, receiver, "stale0")
    received = await receiver.wait_for(3)
    ages = [time.time() - int(headers["Wechatpay-Timestamp"]) for headers, _ in received]
    assert [round(age, -2) for age in ages] == [600, 1000, 0]


async def test_an_answer_with_an_old_stamp(city: City, fault: Order) -> None:
    await fault("pay.query", "stale_clock", seconds=700)
    for age in (700, 0):
        answer = await city.http.get("/v3/pay/transactions/out-trade-no/nobody0", params={"mchid": city.ids["mchid"]})
        assert round(time.time() - int(answer.headers["Wechatpay-Timestamp"]), -2) == age


async def test_the_clock_itself_goes_on(running: Running) -> None:
    before = running.world.clock.timestamp()
    with running.world.clock.behind(500):
        assert running.world.clock.timestamp() <= before - 499
    assert running.world.clock.timestamp() >= before


async def until_written(running: Running, count: int) -> None:
    async with asyncio.timeout(60):
        while sum(entry["status"] == 204 for entry in running.world.books.read("deliveries")) < count:  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.005)
