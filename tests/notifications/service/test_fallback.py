import asyncio
from dataclasses import replace

import pytest

from kit.errors import OutsideError
from kit.failing import failing
from notifications import service
from notifications.channels.fake import FakeChannel, FakeSms
from notifications.models import Delivery, Message
from notifications.ports import Channel, Outgoing, Report
from notifications.rules import RECEIPT_AFTER, DeliveryState, Skipped
from tests.factories.notifications import ALIPAY_ID, OPENID, PARAMS, PHONE, TEMPLATE, Everywhere, desk

pytestmark = pytest.mark.usefixtures("db")
GONE = OutsideError("wechat", "40003", "no such openid", permanent=True)
SKIPPED = (DeliveryState.SKIPPED, Skipped.NO_CONSENT)
SENT = (DeliveryState.SENT, None)
RECEIVED = (DeliveryState.RECEIVED, None)


class Killed(BaseException):
    """The process died here."""


@pytest.fixture
def at(db: object) -> Everywhere:
    return desk().with_all()


def through(at: Everywhere, **channels: Channel) -> Everywhere:
    changed = replace(at, needs=replace(at.needs, channels={**at.needs.channels, **channels}))
    changed.drain.house.notifications = changed.needs
    return changed


async def test_the_wallet_used_last_is_enough(at: Everywhere) -> None:
    await at.agree()
    await at.tell()
    await at.work()
    assert await at.states() == {"wechat": SENT}
    assert (at.alipay.sent, at.sms.sent) == ([], [])


async def test_without_consent_the_next_wallet_and_then_a_text_message_has_its_turn(at: Everywhere) -> None:
    await at.tell()
    await at.work()
    assert await at.states() == {"wechat": SKIPPED, "alipay": SKIPPED, "sms": SENT}
    (sent,) = at.sms.sent
    assert (sent.address, sent.fields) == (PHONE, {"1": PARAMS["number"]})
    assert "张" not in str(sent)


async def test_the_order_is_that_of_use(at: Everywhere) -> None:
    at.book.used = ["alipay", "wechat"]
    await at.agree()
    await at.tell()
    await at.work()
    assert list(await at.states()) == ["alipay", "wechat"]
    assert [sent.address for sent in at.channel.sent] == [OPENID]


async def test_what_alipay_is_sent_are_its_keywords(at: Everywhere) -> None:
    at.alipay.agree(ALIPAY_ID, TEMPLATE)
    await service.record_consents(at.needs, recipient=at.somebody, accepted=[TEMPLATE], channel="alipay")
    await at.tell()
    await at.work()
    assert await at.states() == {"wechat": SKIPPED, "alipay": SENT}
    (sent,) = at.alipay.sent
    assert (sent.address, sent.fields["keyword2"]) == (ALIPAY_ID, PARAMS["number"])
    assert list(sent.fields) == [f"keyword{place}" for place in range(1, 6)]


async def test_a_refusal_for_good_is_staffs_to_see_and_the_next_wallets_turn(at: Everywhere) -> None:
    await at.agree()
    await at.tell()
    await through(at, wechat=failing(at.channel, [GONE], methods={"send"})).work()
    assert await at.states() == {"wechat": (DeliveryState.FAILED, "40003"), "alipay": SKIPPED, "sms": SENT}


async def test_a_channel_that_is_busy_is_waited_for(at: Everywhere) -> None:
    await at.agree()
    await at.tell()
    busy = OutsideError("wechat", "-1", "busy", permanent=False)
    shaky = through(at, wechat=failing(at.channel, [busy], methods={"send"}))
    await shaky.work()
    assert await at.states() == {"wechat": (DeliveryState.QUEUED, None)}
    await shaky.work(seconds=10)
    assert await at.states() == {"wechat": SENT}


async def test_where_the_template_does_not_say_so_no_text_message_goes_out(at: Everywhere) -> None:
    params = {name: PARAMS[name] for name in ("business", "number", "time", "application_id")}
    await service.tell(
        at.needs, recipient=at.somebody, template="application_submitted", params=params, dedupe_key="once"
    )
    await at.work()
    assert await at.states() == {"wechat": SKIPPED, "alipay": SKIPPED}
    assert at.sms.sent == []


async def test_who_has_no_wallet_gets_the_text_message_at_once(at: Everywhere) -> None:
    at.book.used = []
    await at.tell()
    await at.work()
    assert await at.states() == {"sms": SENT}


async def test_who_is_reached_nowhere_has_the_inbox(at: Everywhere) -> None:
    at.book.others.clear()
    await at.tell()
    await at.work()
    assert await at.states() == {
        "wechat": SKIPPED,
        "alipay": (DeliveryState.SKIPPED, Skipped.NO_ADDRESS),
        "sms": (DeliveryState.SKIPPED, Skipped.NO_ADDRESS),
    }
    assert await Message.all().count() == 1


async def _deliver_all(at: Everywhere) -> None:
    while waiting := await Delivery.filter(state=DeliveryState.QUEUED).first():
        await service.deliver(at.needs, delivery_id=waiting.id)


@pytest.mark.parametrize("after", [False, True], ids=["before it was sent", "after it was sent"])
@pytest.mark.parametrize("channel", ["wechat", "alipay", "sms"])
async def test_a_crash_at_any_channel_makes_one_row_of_each(at: Everywhere, channel: str, *, after: bool) -> None:
    await at.tell()
    if channel == "wechat":
        await at.agree()
    if channel == "alipay":
        at.alipay.agree(ALIPAY_ID, TEMPLATE, 2)
        await service.record_consents(at.needs, recipient=at.somebody, accepted=[TEMPLATE], channel="alipay")
    dying = failing(at.needs.channels[channel], [Killed()], after=after, methods={"send"})
    broken = through(at, **{channel: dying})
    with pytest.raises(Killed):
        await _deliver_all(broken)
    for _ in range(2):
        for row in await Delivery.all():
            await service.deliver(at.needs, delivery_id=row.id)
    await through(at, **dict(at.needs.channels)).work()
    states = await at.states()
    order = ["wechat", "alipay", "sms"]
    # Where the message was out and its consent used up at the wallet, the wallet refuses the repetition: the next way.
    again = after and channel == "wechat"
    assert list(states) == order[: order.index(channel) + 1] + (["alipay", "sms"] if again else [])
    assert await Delivery.exclude(channel="inbox").count() == len(states)
    assert list(states.values())[-1] == SENT
    assert len(at.channel.sent) + len(at.alipay.sent) + len(at.sms.sent) == (2 if after else 1)


async def test_an_end_written_twice_queues_the_next_once(at: Everywhere) -> None:
    await at.tell()
    first = await at.delivery("wechat")
    for _ in range(3):
        await service.deliver(at.needs, delivery_id=first.id)
    assert await Delivery.filter(channel="alipay").count() == 1


class TestStanding:
    """Alipay's long-term subscriptions."""

    @pytest.fixture
    def at(self, db: object) -> Everywhere:  # noqa: ARG002 - the database is open while the test runs
        at = desk().with_all()
        at.book.used = ["alipay"]
        standing = FakeChannel(at.needs.templates.shipped, standing=[TEMPLATE])
        return replace(through(at, alipay=standing), alipay=standing)

    async def subscribe(self, at: Everywhere) -> None:
        at.alipay.agree(ALIPAY_ID, TEMPLATE)
        await service.record_consents(at.needs, recipient=at.somebody, accepted=[TEMPLATE], channel="alipay")

    async def test_one_agreement_is_good_for_every_message(self, at: Everywhere) -> None:
        await self.subscribe(at)
        for number in range(3):
            await at.tell(str(number))
        await at.work()
        assert len(at.alipay.sent) == 3
        assert at.sms.sent == []

    async def test_it_ends_when_the_person_says_so(self, at: Everywhere) -> None:
        await self.subscribe(at)
        await service.record_consents(
            at.needs, recipient=at.somebody, accepted=[], refused=[TEMPLATE], channel="alipay"
        )
        await at.tell()
        await at.work()
        assert await at.states() == {"alipay": SKIPPED, "sms": SENT}

    async def test_it_ends_when_the_wallet_says_so(self, at: Everywhere) -> None:
        await self.subscribe(at)
        at.alipay.take_back(ALIPAY_ID, TEMPLATE)
        for number in range(2):
            await at.tell(str(number))
            await at.work()
        assert [row.reason for row in await Delivery.filter(channel="alipay")] == [Skipped.NO_CONSENT] * 2
        assert at.alipay.sent == []

    async def test_a_message_refused_for_good_gives_nothing_back_that_was_not_taken(self, at: Everywhere) -> None:
        await self.subscribe(at)
        await at.tell()
        refused = OutsideError("alipay", "PAGE_ILLEGAL", "page", permanent=True)
        await through(at, alipay=failing(at.alipay, [refused], methods={"send"})).work()
        await service.record_consents(
            at.needs, recipient=at.somebody, accepted=[], refused=[TEMPLATE], channel="alipay"
        )
        await at.tell("again")
        await at.work()
        assert at.alipay.sent == []


async def _sent_by_text(at: Everywhere) -> Delivery:
    at.book.used = []
    await at.tell()
    await at.work()
    return await at.delivery("sms")


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (Report(received=True), RECEIVED),
        (Report(received=False, reason="UNDELIV"), (DeliveryState.UNDELIVERED, "UNDELIV")),
    ],
)
async def test_what_the_receipt_says_is_written_down(
    at: Everywhere, report: Report, state: tuple[DeliveryState, str | None]
) -> None:
    await _sent_by_text(at)
    assert await at.states() == {"sms": SENT}
    at.sms.reports["sms-1"] = report
    await at.work(seconds=RECEIPT_AFTER[0] + 1)
    assert await at.states() == {"sms": state}
    assert len(at.sms.sent) == 1


async def test_who_says_nothing_is_asked_a_few_times(at: Everywhere) -> None:
    counted = failing(at.sms, [], methods={"report"})
    at = replace(at, needs=replace(at.needs, receipts={"sms": counted}))
    at.drain.house.notifications = at.needs
    await _sent_by_text(at)
    for seconds in (*RECEIPT_AFTER, 86400, 86400):
        await at.work(seconds=seconds + 1)
    assert counted.called == len(RECEIPT_AFTER)  # type: ignore[attr-defined]
    assert await at.states() == {"sms": SENT}


@pytest.mark.parametrize("break_at", ["before", "after"])
async def test_a_receipt_asked_for_again_after_a_crash_is_not_lost(at: Everywhere, break_at: str) -> None:
    delivery = await _sent_by_text(at)
    at.sms.reports["sms-1"] = Report(received=False, reason="EXPIRED")
    dying = failing(at.sms, [Killed()], after=break_at == "after", methods={"report"})
    broken = replace(at.needs, receipts={"sms": dying})
    with pytest.raises(Killed):
        await service.record_receipt(broken, delivery_id=delivery.id, attempt=1)
    for _ in range(2):
        await service.record_receipt(at.needs, delivery_id=delivery.id, attempt=1)
    assert await at.states() == {"sms": (DeliveryState.UNDELIVERED, "EXPIRED")}


async def test_a_question_repeated_plans_the_next_once(at: Everywhere) -> None:
    delivery = await _sent_by_text(at)
    for _ in range(3):
        await service.record_receipt(at.needs, delivery_id=delivery.id, attempt=1)
    assert (await at.delivery("sms")).receipt_checks == 1


def at_most(at: Everywhere, texts: int) -> Everywhere:
    limited = replace(at, needs=replace(at.needs, limits=replace(at.needs.limits, sms_day=texts)))
    limited.drain.house.notifications = limited.needs
    return limited


async def test_nobody_spends_the_citys_money_on_text_messages(at: Everywhere) -> None:
    at = at_most(at, 3)
    for occasion in range(5):
        await at.tell(f"occasion-{occasion}")
        await at.work(seconds=1)
    assert len(at.sms.sent) == 3
    reasons = [row.reason for row in await Delivery.filter(channel="sms").order_by("id")]
    assert reasons == [None, None, None, Skipped.TOO_MANY, Skipped.TOO_MANY]
    assert await Message.all().count() == 5
    await at.work(seconds=24 * 3600)
    await at.tell("the-next-day")
    await at.work()
    assert len(at.sms.sent) == 4


class SlowSms:
    """Text messages that leave together, once of `all_of` deliveries each is on its way or has ended."""

    def __init__(self, sms: FakeSms, *, all_of: int) -> None:
        self._sms, self._missing = sms, all_of
        self.template_id, self.agreement = sms.template_id, sms.agreement
        self._all_here = asyncio.Event()

    def arrived(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self._all_here.set()

    async def send(self, message: Outgoing) -> str:
        self.arrived()
        await self._all_here.wait()
        return await self._sms.send(message)


async def test_text_messages_that_are_on_their_way_at_once_are_counted_too(at: Everywhere) -> None:
    slow = SlowSms(at.sms, all_of=6)
    at = at_most(through(at, sms=slow), 3)
    at.book.used = []
    for occasion in range(6):
        await at.tell(f"occasion-{occasion}")

    async def deliver(row: Delivery) -> None:
        await service.deliver(at.needs, delivery_id=row.id)
        slow.arrived()

    async with asyncio.timeout(20), asyncio.TaskGroup() as workers:
        for row in await Delivery.filter(channel="sms"):
            workers.create_task(deliver(row))
    assert len(at.sms.sent) == 3
    reasons = [row.reason for row in await Delivery.filter(channel="sms")]
    assert sorted(reasons, key=str) == [None, None, None, *[Skipped.TOO_MANY] * 3]


async def test_a_text_message_that_is_tried_again_or_refused_for_good_takes_no_place_of_others(at: Everywhere) -> None:
    at = at_most(at, 2)
    at.book.used = []
    busy = OutsideError("sms", "InternalError.Timeout", "busy", permanent=False)
    refused = OutsideError("sms", "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber", "", permanent=True)
    shaky = through(at, sms=failing(at.sms, [busy, busy, refused], methods={"send"}))
    await at.tell("refused")
    for _ in range(3):
        await shaky.work(seconds=60)
    for occasion in ("first", "second", "third"):
        await at.tell(occasion)
        await through(at, sms=at.sms).work(seconds=1)
    states = [row.state for row in await Delivery.filter(channel="sms").order_by("id")]
    assert states == [DeliveryState.FAILED, DeliveryState.SENT, DeliveryState.SENT, DeliveryState.SKIPPED]
