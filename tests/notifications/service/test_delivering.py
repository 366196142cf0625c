from dataclasses import replace

import pytest

from kit.errors import OutsideError
from kit.failing import failing
from kit.outbox.queries import parked
from notifications import queries, service
from notifications.channels.fake import FakeChannel
from notifications.rules import DeliveryState, Skipped
from tests.factories.notifications import OPENID, TEMPLATE, Desk, desk

pytestmark = pytest.mark.usefixtures("db")
BUSY = OutsideError("wechat", "-1", "busy", permanent=False)
BAD_FIELD = OutsideError("wechat", "47003", "thing1 is invalid", permanent=True)


class Killed(BaseException):
    """The process died here."""


async def left(at: Desk) -> int:
    return (await queries.consents(at.needs, recipient=at.somebody, templates=[TEMPLATE]))[TEMPLATE].remaining


async def test_a_message_goes_out_and_spends_one_consent() -> None:
    at = desk()
    await at.agree(at_wallet=2, with_us=2)
    await at.tell()
    await at.work()

    (sent,) = at.channel.sent
    assert (sent.address, sent.page) == (OPENID, f"pages/application/detail?id={'a' * 32}")
    assert sent.fields == {
        "thing1": "二手房（存量房）转移登记",
        "character_string2": "320114-2026-000012",
        "phrase3": "已受理",
        "time4": "2026年3月16日 12:00",
        "thing5": "请查看受理凭证",
    }
    done = await at.delivery()
    assert (done.state, done.receipt) == (DeliveryState.SENT, "fake-1")
    assert await left(at) == 1


async def test_a_delivery_handled_again_sends_nothing_more() -> None:
    at = desk()
    await at.agree(at_wallet=2, with_us=2)
    await at.tell()
    await at.work()
    await service.deliver(at.needs, delivery_id=(await at.delivery()).id)
    assert len(at.channel.sent) == 1
    assert await left(at) == 1


async def test_without_consent_it_stays_in_the_inbox_and_is_nobodys_fault() -> None:
    at = desk()
    await at.tell()
    await at.work()
    skipped = await at.delivery()
    assert (skipped.state, skipped.reason) == (DeliveryState.SKIPPED, Skipped.NO_CONSENT)
    assert at.channel.sent == []
    assert await parked() == []


async def test_the_wallets_own_count_decides() -> None:
    at = desk()
    await at.agree(at_wallet=0, with_us=3)
    await at.tell()
    await at.work()
    assert (await at.delivery()).reason == Skipped.NO_CONSENT
    assert await left(at) == 0


async def test_nobody_to_reach_is_skipped_and_spends_nothing() -> None:
    at = desk()
    await at.agree()
    await at.tell()
    at.book.known.clear()
    await at.work()
    assert (await at.delivery()).reason == Skipped.NO_ADDRESS
    assert await left(at) == 1


@pytest.mark.parametrize("gone", [False, True], ids=["no template there", "no channel any more"])
async def test_what_a_channel_does_not_offer_is_skipped(*, gone: bool) -> None:
    at = desk()
    await at.agree()
    await at.tell()
    other = at.through(FakeChannel([]))
    if gone:
        other.drain.house.notifications = replace(at.needs, channels={})
    await other.work()
    assert (await at.delivery()).reason == Skipped.NO_TEMPLATE
    assert await left(at) == 1


async def test_a_channel_that_is_busy_is_tried_again_with_the_same_consent() -> None:
    at = desk()
    await at.agree()
    await at.tell()
    shaky = at.through(failing(at.channel, [BUSY, BUSY], methods={"send"}))
    await shaky.work()
    assert (await at.delivery()).state == DeliveryState.QUEUED
    assert await left(at) == 0
    for _ in range(2):
        await shaky.work(seconds=10)
    assert (await at.delivery()).state == DeliveryState.SENT
    assert len(at.channel.sent) == 1


async def test_a_refusal_for_good_is_a_failed_row_and_gives_the_consent_back() -> None:
    at = desk()
    await at.agree()
    await at.tell()
    await at.through(failing(at.channel, [BAD_FIELD], methods={"send"})).work()
    failed = await at.delivery()
    assert (failed.state, failed.reason) == (DeliveryState.FAILED, "47003")
    assert await left(at) == 1
    assert await parked() == []


@pytest.mark.parametrize("after", [False, True], ids=["before it was sent", "after it was sent"])
async def test_a_crash_while_sending_loses_no_message_and_spends_one_consent(*, after: bool) -> None:
    at = desk()
    await at.agree(at_wallet=2, with_us=2)
    await at.tell()
    dying = at.through(failing(at.channel, [Killed()], after=after, methods={"send"}))
    with pytest.raises(Killed):
        await service.deliver(dying.needs, delivery_id=(await at.delivery()).id)
    await service.deliver(at.needs, delivery_id=(await at.delivery()).id)

    assert (await at.delivery()).state == DeliveryState.SENT
    assert len(at.channel.sent) == (2 if after else 1)  # at least once
    assert await left(at) == 1
