from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from kit.web.access import Principal
from miniprogram_api import messages
from notifications import queries
from notifications.channels.fake import FakeChannel
from server.journeys.house import House
from tests.factories.notifications import TEMPLATE, Desk, desk
from tests.support.serving import client, edge, served


@pytest.fixture
def at(db: object) -> Desk:
    return desk()


@pytest.fixture
async def phone(at: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async def who(request: object) -> Principal:
        return Principal("resident", id=at.somebody, level=1)

    house = cast("House", SimpleNamespace(notifications=at.needs))
    door = edge(authenticators={"resident": who}, clock=at.clock)
    async with served([messages.blueprint(house, door)]) as base, client(base) as http:
        yield http


def keyed(name: str) -> dict[str, str]:
    return {"Idempotency-Key": f"request-{name}"}


async def test_messages_page_by_page_and_read(at: Desk, phone: httpx.AsyncClient) -> None:
    for number in range(3):
        await at.tell(str(number), number=str(number))
    first = (await phone.get("/api/v1/messages?limit=2")).json()
    rest = (await phone.get(f"/api/v1/messages?limit=2&cursor={first['next']}")).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    newest = first["items"][0]
    assert (newest["template"], newest["title"], newest["read_at"]) == (TEMPLATE, "申请已受理", None)
    assert newest["created_at"] == "2026-03-16T12:00:00+08:00"

    for _ in range(2):
        read = await phone.post(f"/api/v1/messages/{newest['id']}/read", json={}, headers=keyed("read"))
        assert (read.status_code, read.json()["read_at"]) == (200, "2026-03-16T12:00:00+08:00")
    missing = await phone.post(f"/api/v1/messages/{'0' * 32}/read", json={}, headers=keyed("other"))
    assert (missing.status_code, missing.json()["code"]) == (404, "MESSAGE_NOT_FOUND")
    assert (await phone.get("/api/v1/messages?limit=0")).status_code == 422


async def test_what_the_resident_agreed_to_is_counted_once_per_request(at: Desk, phone: httpx.AsyncClient) -> None:
    offered = (await phone.get("/api/v1/subscriptions/templates")).json()["items"]
    expected = {"template": TEMPLATE, "template_id": f"fake-{TEMPLATE}", "name": "受理结果提醒", "standing": False}
    assert expected in offered
    answers = {"templates": {TEMPLATE: "accept", "fee_due": "reject"}}
    for _ in range(2):
        granted = await phone.post("/api/v1/subscriptions", json=answers, headers=keyed("agree"))
        assert granted.status_code == 200
        assert granted.json() == {
            "items": [
                {"template": TEMPLATE, "granted": 1, "standing": False},
                {"template": "fee_due", "granted": 0, "standing": False},
            ]
        }
    unknown = await phone.post("/api/v1/subscriptions", json={"templates": {"nope": "accept"}}, headers=keyed("x"))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "TEMPLATE_UNKNOWN")
    odd = await phone.post("/api/v1/subscriptions", json={"templates": {TEMPLATE: "maybe"}}, headers=keyed("y"))
    assert (odd.status_code, odd.json()["code"]) == (422, "INVALID_CONTENT")


async def test_a_session_of_alipay_subscribes_there(at: Desk) -> None:
    everywhere = at.with_all()
    standing = FakeChannel(at.needs.templates.shipped, standing=[TEMPLATE])
    needs = replace(everywhere.needs, channels={**everywhere.needs.channels, "alipay": standing})

    async def who(request: object) -> Principal:
        return Principal("resident", id=at.somebody, level=1, wallet="alipay")

    house = cast("House", SimpleNamespace(notifications=needs))
    door = edge(authenticators={"resident": who}, clock=at.clock)
    async with served([messages.blueprint(house, door)]) as base, client(base) as http:
        offered = {
            each["template"]: each for each in (await http.get("/api/v1/subscriptions/templates")).json()["items"]
        }
        assert (offered[TEMPLATE]["standing"], offered["fee_due"]["standing"]) == (True, False)
        for answer, stands in (("accept", True), ("reject", False)):
            body = {"templates": {TEMPLATE: answer, "fee_due": answer}}
            granted = (await http.post("/api/v1/subscriptions", json=body, headers=keyed(answer))).json()["items"]
            assert {each["template"]: each["standing"] for each in granted} == {TEMPLATE: stands, "fee_due": False}
            assert {each["template"]: each["granted"] for each in granted} == {TEMPLATE: 0, "fee_due": 1}
    wechat = await queries.consents(needs, recipient=at.somebody, templates=[TEMPLATE, "fee_due"])
    assert {each.remaining for each in wechat.values()} == {0}
