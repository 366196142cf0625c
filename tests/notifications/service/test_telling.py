import asyncio

import pytest

from kit.idempotency.service import new_key
from kit.ids import new_id
from notifications import queries, service
from notifications.errors import MessageNotFound
from notifications.models import Delivery, Message
from notifications.rules import DeliveryState
from tests.factories.notifications import PARAMS, TEMPLATE, desk

pytestmark = pytest.mark.usefixtures("db")


async def test_a_message_lies_in_the_inbox_sealed_and_is_read_in_clear() -> None:
    at = desk()
    assert await at.tell(business="张伟家的房子")

    row = await Message.get(recipient=at.somebody)
    assert "张伟" not in row.params_sealed
    (seen,) = await queries.inbox(at.needs, recipient=at.somebody)
    assert (seen.title, seen.read_at) == ("申请已受理", None)
    assert (
        seen.body
        == "您的张伟家的房子申请已于2026年3月16日 12:00受理，受理编号320114-2026-000012。受理凭证可在小程序中查看。"
    )
    states = {row.channel: row.state for row in await Delivery.all()}
    assert states == {"inbox": DeliveryState.SENT, "wechat": DeliveryState.QUEUED}


async def test_one_occasion_is_told_once_also_by_two_workers_at_once() -> None:
    at = desk()
    told = await asyncio.gather(*(at.tell() for _ in range(6)))
    assert told.count(True) == 1
    assert not await at.tell()
    assert await Message.all().count() == 1
    assert await Delivery.all().count() == 2
    assert await at.tell("another occasion")


async def test_a_mistake_is_learnt_of_when_it_is_made() -> None:
    at = desk()
    with pytest.raises(ValueError, match="no template"):
        await service.tell(at.needs, recipient=at.somebody, template="nope", params=PARAMS, dedupe_key="x")
    with pytest.raises(ValueError, match="time"):
        await at.tell(time="soon")
    assert await Message.all().count() == 0


async def test_the_inbox_is_turned_page_by_page() -> None:
    at = desk()
    for number in range(5):
        await at.tell(str(number), number=str(number))
    first = await queries.inbox(at.needs, recipient=at.somebody, limit=3)
    rest = await queries.inbox(at.needs, recipient=at.somebody, limit=3, before=first[-1].id)
    assert [len(first), len(rest)] == [3, 2]
    assert sorted({seen.id for seen in (*first, *rest)}, reverse=True) == [seen.id for seen in (*first, *rest)]
    assert await queries.inbox(at.needs, recipient=new_id()) == []


async def test_a_message_is_marked_as_read_once_and_by_its_recipient_only() -> None:
    at = desk()
    await at.tell()
    message = await Message.get(recipient=at.somebody)
    with pytest.raises(MessageNotFound):
        await service.mark_read(at.needs, recipient=new_id(), message_id=message.id)
    assert await queries.message(at.needs, recipient=new_id(), message_id=message.id) is None

    key = new_key(who="resident:x", route="POST /read", key="same-key", digest="0" * 64, clock=at.clock)
    await service.mark_read(at.needs, recipient=at.somebody, message_id=message.id, key=key)
    first = (await Message.get(id=message.id)).read_at
    at.clock.advance(seconds=60)
    await service.mark_read(at.needs, recipient=at.somebody, message_id=message.id)
    assert (await Message.get(id=message.id)).read_at == first
    seen = await queries.message(at.needs, recipient=at.somebody, message_id=message.id)
    assert seen is not None
    assert (seen.template, seen.read_at) == (TEMPLATE, first)
