"""A further wallet leads to a resident: the one that was there before hears of it, once, and not by the new one."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import cast

import pytest

from kit.outbox import Handler, Outbox
from kit.outbox.drain import Drain
from notifications import queries, service
from notifications.events import DeliveryQueued, ReceiptDue
from notifications.models import Delivery, Message
from notifications.rules import DeliveryState, Skipped
from server.identity import service as identity
from server.identity.events import RealNameVerified, WalletJoined
from server.journeys import sending
from server.journeys.addresses import ResidentAddresses
from server.journeys.house import House
from server.journeys.telling import residents as telling
from tests.factories import identity as make
from tests.factories import notifications
from tests.factories.identity import Both, MadeResident, resident
from tests.factories.notifications import Everywhere

TEMPLATE = "wallet_joined"
SENT = (DeliveryState.SENT, None)
NO_CONSENT = (DeliveryState.SKIPPED, Skipped.NO_CONSENT)
NOT_MEANT = (DeliveryState.SKIPPED, Skipped.NOT_MEANT)


@dataclass
class Town:
    """Residents of both wallets, and the messages that reach them; `work` is the worker."""

    both: Both
    at: Everywhere
    drain: Drain

    async def work(self) -> None:
        await self.drain.until_idle(rounds=20)

    async def join(self, first: MadeResident, *, phone: str | None = None) -> str:
        """Somebody passes the check in Alipay as `first`, perhaps with a phone number there; the check's id."""
        second = await resident(self.both.alipay, openid="2088000000000009", name=first.name, number=first.id_number)
        if phone is not None:
            proof = self.both.alipay_wallet.give_phone(phone)
            given = {"response": proof.response, "sign": proof.sign}
            await identity.bind_phone(self.both.needs, resident_id=second.id, wallet="alipay", **given)
        check_id = await make.verify(self.both.alipay, second)
        await self.work()
        return check_id

    async def agree(self, who: MadeResident) -> None:
        """To everything, in both wallets: a way that is not taken is not for want of consent."""
        for channel, fake in (("wechat", self.at.channel), ("alipay", self.at.alipay)):
            fake.agree(who.openid if channel == "wechat" else "2088000000000009", TEMPLATE)
            await service.record_consents(self.at.needs, recipient=who.id, accepted=[TEMPLATE], channel=channel)


async def _listen(house: object, event: object) -> None:
    """Binding parties is another test's."""


@pytest.fixture
def town(db: object) -> Town:
    at = notifications.desk().with_all()
    handlers = (
        Handler("applications.bind_parties", RealNameVerified, _listen),
        Handler("telling.wallet_joined", WalletJoined, telling.wallet_joined),
        Handler("notifications.deliver", DeliveryQueued, sending.deliver),
        Handler("notifications.receipt", ReceiptDue, sending.record_receipt),
    )
    outbox = Outbox(handlers, clock=at.clock, wake=lambda: None)
    both = Both(clock=at.clock, outbox=outbox)
    at.needs = replace(at.needs, outbox=outbox, addresses=ResidentAddresses(both.needs))
    house = cast("House", SimpleNamespace(identity=both.needs, notifications=at.needs))
    return Town(both, at, Drain(house, handlers, at.clock))


async def test_the_wallet_that_was_there_is_told_and_the_new_one_is_not(town: Town) -> None:
    first = await resident(town.both.wechat, phone=True, real_name=True)
    await town.agree(first)
    await town.join(first)
    assert [sent.address for sent in town.at.channel.sent] == [first.openid]
    assert town.at.channel.sent[0].fields["thing1"] == "账号新增支付宝登录"
    assert (town.at.alipay.sent, town.at.sms.sent) == ([], [])
    assert await town.at.states() == {"alipay": NOT_MEANT, "wechat": SENT}


async def test_it_stands_in_the_inbox_with_what_to_do(town: Town) -> None:
    first = await resident(town.both.wechat, real_name=True)
    await town.join(first)
    (message,) = await queries.inbox(town.at.needs, recipient=first.id, before="", limit=2)
    assert message.title == "您的账号新增了支付宝登录"
    assert "2026年3月16日 12:00" in message.body
    assert "请立即与登记机构联系" in message.body


async def test_where_that_wallet_shows_nothing_a_text_message_goes_to_the_phone(town: Town) -> None:
    first = await resident(town.both.wechat, phone=True, real_name=True)
    await town.join(first, phone="13900000001")
    assert [sent.address for sent in town.at.sms.sent] == [f"+86{first.phone}"]
    assert await town.at.states() == {"alipay": NOT_MEANT, "wechat": NO_CONSENT, "sms": SENT}


async def test_a_phone_that_came_with_the_new_wallet_is_told_nothing(town: Town) -> None:
    first = await resident(town.both.wechat, real_name=True)
    await town.join(first, phone="13900000001")
    assert town.at.sms.sent == []
    assert await town.at.states() == {"alipay": NOT_MEANT, "sms": NOT_MEANT, "wechat": NO_CONSENT}
    assert await Message.all().count() == 1


async def test_handled_twice_it_is_told_once(town: Town) -> None:
    first = await resident(town.both.wechat, phone=True, real_name=True)
    check_id = await town.join(first)
    house = cast("House", town.drain.house)
    await telling.wallet_joined(house, WalletJoined(first.id, "alipay", check_id, brought_phone=False))
    await town.work()
    assert await Message.all().count() == 1
    assert await Delivery.filter(channel="sms").count() == 1
    assert len(town.at.sms.sent) == 1
