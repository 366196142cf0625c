import asyncio
from typing import Any

import pytest

from kit.idempotency import RequestKey, once
from kit.idempotency.service import new_key
from notifications import queries, service
from notifications.errors import TemplateUnknown
from notifications.service import consents
from tests.factories.notifications import TEMPLATE, Desk, desk

pytestmark = pytest.mark.usefixtures("db")


async def left(at: Desk) -> int:
    return (await queries.consents(at.needs, recipient=at.somebody, templates=[TEMPLATE]))[TEMPLATE].remaining


async def test_each_agreement_counts_also_when_two_arrive_at_once() -> None:
    at = desk()
    assert await left(at) == 0
    await asyncio.gather(*(at.agree() for _ in range(4)))
    assert await left(at) == 4


async def test_a_request_repeated_counts_once() -> None:
    at = desk()

    async def command(key: RequestKey) -> str:
        return await service.record_consents(at.needs, recipient=at.somebody, accepted=[TEMPLATE, TEMPLATE], key=key)

    for _ in range(2):
        key = new_key(who="resident:x", route="POST /subscriptions", key="same-key", digest="0" * 64, clock=at.clock)
        await once(key, command, status=200)
    assert await left(at) == 1


async def test_an_unknown_template_is_refused() -> None:
    at = desk()
    with pytest.raises(TemplateUnknown):
        await service.record_consents(at.needs, recipient=at.somebody, accepted=[TEMPLATE, "nope"])
    assert await left(at) == 0


async def test_what_may_be_subscribed_to_is_what_the_channel_offers() -> None:
    at = desk()
    offered = await queries.subscribable(at.needs)
    assert {(each.template, each.template_id, each.name) for each in offered} >= {
        (TEMPLATE, f"fake-{TEMPLATE}", "受理结果提醒")
    }
    assert await queries.subscribable(at.needs, channel="alipay") == []


async def test_the_first_consent_recorded_twice_at_once_counts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk()
    await at.agree()
    raised: list[int] = []

    async def blind_once(*args: Any) -> int:
        raised.append(1)
        return 0 if len(raised) == 1 else await add(*args)

    add = consents._set
    monkeypatch.setattr(consents, "_set", blind_once)
    await service.record_consents(at.needs, recipient=at.somebody, accepted=[TEMPLATE])
    assert await left(at) == 2
