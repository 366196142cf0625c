"""Whoever booked hears of it once, with when, where and under which number."""

from types import SimpleNamespace
from typing import cast

import pytest

from notifications import queries as inbox
from notifications import templates
from notifications.models import Message
from server.appointments import service
from server.appointments.events import Booked, Cancelled, CancelledByOffice, DayClosed
from server.appointments.models import Booking, OfficeClosure
from server.journeys import closing
from server.journeys.house import House
from server.journeys.telling import appointments as telling
from tests.factories import notifications
from tests.factories.appointments import CLERK, FIRST_SLOT, HERE, Hall, hall


@pytest.fixture
async def at(db: object) -> Hall:
    return await hall()


def house_of(at: Hall) -> House:
    return cast("House", SimpleNamespace(appointments=at.needs, notifications=notifications.desk().needs))


@pytest.mark.parametrize(
    ("tell", "event", "template"),
    [
        (telling.booked, Booked, "appointment_booked"),
        (telling.cancelled, Cancelled, "appointment_cancelled"),
        (telling.office_closed, CancelledByOffice, "appointment_office_closed"),
    ],
)
async def test_an_occasion_is_told_once(at: Hall, tell: object, event: type, template: str) -> None:
    booking = await at.book(await at.slot())
    house = house_of(at)
    for _ in range(2):
        await tell(house, event(booking.id))  # type: ignore[operator]
    (message,) = await Message.all()
    assert (message.recipient, message.template) == (booking.resident_id, template)


async def test_a_closed_day_is_cleared_by_its_handler(at: Hall) -> None:
    booking = await at.book(await at.slot())
    closure_id = await service.close_day(
        at.needs, staff_id=CLERK, scope=HERE, office_id=at.office.id, day=FIRST_SLOT.date(), reason="停电"
    )
    await closing.clear_day(house_of(at), DayClosed(closure_id))
    assert (await Booking.get(id=booking.id)).state == "cancelled"


async def test_whoever_is_not_let_in_is_told_why_in_the_inbox_and_not_on_a_locked_screen(at: Hall) -> None:
    booking = await at.book(await at.slot())
    await service.close_day(
        at.needs,
        staff_id=CLERK,
        scope=HERE,
        office_id=at.office.id,
        day=FIRST_SLOT.date(),
        reason="供电线路检修，全天停电",
    )
    closure = await OfficeClosure.get(day=FIRST_SLOT.date())
    house = house_of(at)
    await closing.clear_day(house, DayClosed(closure.id))
    await telling.office_closed(house, CancelledByOffice(booking.id))
    (told,) = await inbox.inbox(house.notifications, recipient=booking.resident_id)
    assert "（原因：供电线路检修，全天停电）" in told.body
    assert "改约其他日期" in told.body
    template = templates.load()["appointment_office_closed"]
    on_screens = (*template.wechat.values(), *template.alipay.values(), template.sms_text)
    assert not [text for text in on_screens if "{reason}" in text]
