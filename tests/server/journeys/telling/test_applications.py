from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kit.errors import Permanent
from kit.ids import new_id
from notifications import queries
from notifications.models import Message
from payments import service as payments
from payments.events import OrderOpened, PaymentSettled, RefundSettled
from payments.models import Order
from payments.rules import Line
from server.applications import events
from server.applications import service as filed
from server.applications.models import ApplicationParty
from server.certificates.events import CopyKept
from server.journeys.fees import PURPOSE
from server.journeys.house import House
from server.journeys.telling import applications as telling
from tests.factories import applications
from tests.factories.applications import Case, Person
from tests.factories.notifications import Desk, desk
from tests.factories.payments import EIGHTY_YUAN, Till, till

pytestmark = pytest.mark.usefixtures("db")
CASE_NUMBER = "20260316-320114-000001"


class Square:
    """The rooms whose news is told."""

    def __init__(self, world: applications.World, at: Till, post: Desk) -> None:
        self.world, self.at, self.post = world, at, post
        self.house = cast(
            "House",
            SimpleNamespace(clock=world.clock, applications=world.needs, payments=at.needs, notifications=post.needs),
        )

    async def charged(self, *, lines: tuple[Line, ...] = EIGHTY_YUAN) -> tuple[Case, str]:
        case = await applications.accepted(self.world)
        order_id = await payments.open_order(
            self.at.needs, purpose=PURPOSE, subject_id=case.id, payer_id=case.buyer.resident_id, lines=lines
        )
        return case, order_id

    async def told(self, person: Person) -> list[queries.MessageView]:
        return await queries.inbox(self.post.needs, recipient=person.resident_id)


@pytest.fixture
def square(db: object, tmp_path: Path) -> Square:
    return Square(applications.world(tmp_path), till(), desk())


@pytest.mark.parametrize(
    ("trait", "handler", "event", "template"),
    [
        (applications.asked, telling.confirmation_requested, events.ConfirmationRequested, "confirmation_requested"),
        (applications.asked, telling.party_refused, events.PartyRefused, "party_refused"),
        (applications.submitted, telling.submitted, events.Submitted, "application_submitted"),
        (applications.accepted, telling.accepted, events.Accepted, "case_accepted"),
        (applications.submitted, telling.correction_asked, events.CorrectionAsked, "correction_asked"),
        (applications.submitted, telling.refused, events.Refused, "case_refused"),
        (applications.accepted, telling.entered, events.Entered, "case_entered"),
    ],
)
async def test_every_party_is_told_once(
    square: Square,
    trait: Callable[[applications.World], Awaitable[Case]],
    handler: Callable[[House, Any], Awaitable[None]],
    event: type[Any],
    template: str,
) -> None:
    case = await trait(square.world)
    for _ in range(2):
        await handler(square.house, event(case.id))
    for person in case.all:
        assert [seen.template for seen in await square.told(person)] == [template]
    assert await Message.all().count() == 3


async def test_what_is_told_names_the_business_the_number_and_the_moment(square: Square) -> None:
    case = await applications.accepted(square.world)
    square.world.clock.advance(seconds=3600)
    await telling.accepted(square.house, events.Accepted(case.id))
    (seen,) = await square.told(case.buyer)
    assert "二手房（存量房）转移登记" in seen.body
    assert f"2026年3月16日 12:00受理，受理编号{CASE_NUMBER}" in seen.body


async def test_who_has_no_account_cannot_be_told(square: Square) -> None:
    case = await applications.submitted(square.world)
    await ApplicationParty.filter(resident_id=case.buyer.resident_id).update(resident_id=None)
    await telling.submitted(square.house, events.Submitted(case.id))
    assert await Message.all().count() == 2


async def test_nobody_is_asked_to_confirm_what_was_taken_back(square: Square) -> None:
    case = await applications.asked(square.world)
    await filed.reopen(square.world.needs, application_id=case.id, resident_id=case.opener.resident_id)
    await telling.confirmation_requested(square.house, events.ConfirmationRequested(case.id))
    assert await Message.all().count() == 0


async def test_a_second_request_asks_again_who_has_not_answered(square: Square) -> None:
    case = await applications.asked(square.world)
    await telling.confirmation_requested(square.house, events.ConfirmationRequested(case.id))
    opener = case.opener.resident_id
    await filed.reopen(square.world.needs, application_id=case.id, resident_id=opener)
    square.world.clock.advance(seconds=60)
    await filed.request_confirmation(square.world.needs, application_id=case.id, resident_id=opener)
    await applications.confirm(square.world, case, case.opener)
    await telling.confirmation_requested(square.house, events.ConfirmationRequested(case.id))
    assert [len(await square.told(person)) for person in case.all] == [1, 2, 2]


async def test_only_the_payer_is_asked_to_pay(square: Square) -> None:
    case, order_id = await square.charged()
    await telling.fee_due(square.house, OrderOpened(order_id, PURPOSE, case.id))
    (seen,) = await square.told(case.buyer)
    assert "应缴登记费80.00元" in seen.body
    assert await Message.all().count() == 1


async def test_all_hear_that_the_fee_is_paid(square: Square) -> None:
    case, order_id = await square.charged()
    await telling.payment_settled(square.house, PaymentSettled(order_id, PURPOSE, case.id))
    assert [seen.template for person in case.all for seen in await square.told(person)] == ["payment_settled"] * 3


async def test_only_the_payer_hears_what_came_back_and_of_every_refund_once(square: Square) -> None:
    at = square.at
    at.wallet.instant = True
    case, order_id = await square.charged()
    order = await Order.get(id=order_id)
    attempt = await at.pay(order)
    at.wallet.pay(attempt.out_trade_no)
    await at.work(seconds=30)
    for amount in (3000, 5000):
        await at.refund(order, amount)
    await at.work()
    for told in at.returned * 2:
        await telling.refund_settled(square.house, told)
    seen = await square.told(case.buyer)
    assert sorted("30.00元" in each.body for each in seen) == [False, True]
    assert await Message.all().count() == 2


async def test_a_fee_of_nothing_is_no_news(square: Square) -> None:
    case, order_id = await square.charged(lines=())
    await telling.payment_settled(square.house, PaymentSettled(order_id, PURPOSE, case.id))
    assert await Message.all().count() == 0


async def test_the_new_owner_hears_of_the_certificate(square: Square) -> None:
    case = await applications.accepted(square.world)
    certificate = new_id()
    await telling.certificate_ready(square.house, CopyKept(certificate, case.id))
    await telling.certificate_ready(square.house, CopyKept(new_id(), ""))
    assert [seen.template for seen in await square.told(case.buyer)] == ["certificate_ready"]
    assert await Message.all().count() == 1


async def test_other_purposes_are_not_ours_and_a_missing_order_is_for_staff(square: Square) -> None:
    await telling.fee_due(square.house, OrderOpened(new_id(), "certificate_postage", new_id()))
    await telling.payment_settled(square.house, PaymentSettled(new_id(), "certificate_postage", new_id()))
    await telling.refund_settled(square.house, RefundSettled(new_id(), new_id(), "certificate_postage", new_id()))
    with pytest.raises(Permanent):
        await telling.fee_due(square.house, OrderOpened(new_id(), PURPOSE, new_id()))
