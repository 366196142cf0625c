from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from sanic import Request

from kit.audit.models import AuditRecord
from kit.ids import new_id
from kit.web.access import Principal
from notifications import service
from notifications.models import MessageTemplate
from server.console import notification_templates
from server.journeys.house import House
from tests.factories.notifications import TEMPLATE, Desk, desk
from tests.support.serving import client, edge, served

PATH = "/staff/v1/notification-templates"
STAFF = new_id()


@pytest.fixture
async def at(db: object) -> Desk:
    made = desk()
    await service.load_shipped(made.needs)
    return made


@pytest.fixture
async def operator(at: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async def who(request: Request) -> Principal | None:
        rights = {"outbox.read"} if request.token == "other" else {"templates.manage"}
        districts = frozenset({"320114"}) if request.token == "district" else None
        return Principal("staff", id=STAFF, permissions=frozenset(rights), districts=districts)

    house = cast("House", SimpleNamespace(notifications=at.needs))
    door = edge(authenticators={"staff": who}, clock=at.clock)
    async with served([notification_templates.blueprint(house, door)]) as base, client(base, "operator") as http:
        yield http


def content(at: Desk, **changes: Any) -> dict[str, Any]:
    shipped = at.needs.templates.shipped[TEMPLATE]
    given: dict[str, Any] = {
        name: getattr(shipped, name) for name in ("code", "name", "title", "body", "page", "sms_text")
    }
    return {**given, "wechat": dict(shipped.wechat), "alipay": dict(shipped.alipay), "sms": "fallback", **changes}


async def save(http: httpx.AsyncClient, body: Any, key: str = "save-0001") -> httpx.Response:
    return await http.post(PATH, json=body, headers={"Idempotency-Key": key})


async def test_a_version_is_saved_once_and_shown(at: Desk, operator: httpx.AsyncClient) -> None:
    answers = [await save(operator, content(at, title="已经受理")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    saved = answers[0].json()
    assert answers[1].json() == saved
    assert (saved["version"], saved["title"], saved["saved_by"], saved["sms_segments"]) == (2, "已经受理", STAFF, 2)
    assert {"name": "business", "kind": "text", "longest": 20} in saved["variables"]
    listed = (await operator.get(f"{PATH}?limit=1")).json()
    assert listed["items"] == [saved]
    assert (await operator.get(f"{PATH}?limit=1&cursor={listed['next']}")).json()["items"][0]["version"] == 1
    assert await AuditRecord.filter(action="notifications.template_saved").count() == 1


async def test_what_a_wallet_refuses_is_told_field_by_field(at: Desk, operator: httpx.AsyncClient) -> None:
    before = await MessageTemplate.all().count()
    wrong = content(at, wechat={"phrase3": "OK!", "thing1": "{business}{business}"}, sms_text="【一窗】{number}")
    answer = await save(operator, wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "TEMPLATE_INVALID")
    flaws = {flaw["field"]: flaw["code"] for flaw in answer.json()["errors"]}
    assert flaws == {"wechat.phrase3": "CHARACTERS", "wechat.thing1": "TOO_LONG", "sms_text": "BRACKETS"}
    assert await MessageTemplate.all().count() == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "nope"}, "TEMPLATE_INVALID"),
        ({"body": "请登录 bdc.example.com 查看{business}"}, "TEMPLATE_INVALID"),
        ({"code": "../etc"}, "INVALID_CONTENT"),
        ({"sms": "always"}, "INVALID_CONTENT"),
        ({"district": "南京"}, "INVALID_CONTENT"),
        ({"effective_from": "2026-03-16T12:00:00"}, "INVALID_CONTENT"),
        ({"effective_from": "2020-01-01T00:00:00+08:00"}, "TEMPLATE_INVALID"),
        ({"effective_from": "9999-12-31T23:59:59-12:00"}, "TEMPLATE_INVALID"),
        ({"effective_from": "9999-12-31T23:59:59+08:00"}, "TEMPLATE_INVALID"),
        ({"title": "已受理\x00"}, "TEMPLATE_INVALID"),
        ({"body": "\u202e理受已"}, "TEMPLATE_INVALID"),
        ({"name": "受\u200b理"}, "TEMPLATE_INVALID"),
        ({"surprise": 1}, "INVALID_CONTENT"),
        ({"wechat": {"thing1": 5}}, "INVALID_CONTENT"),
        ({"body": "{business.__class__}"}, "TEMPLATE_INVALID"),
        ({"body": "x" * 2001}, "INVALID_CONTENT"),
    ],
)
async def test_bad_input_saves_nothing(
    at: Desk, operator: httpx.AsyncClient, changes: dict[str, Any], code: str
) -> None:
    before = await MessageTemplate.all().count()
    answer = await save(operator, content(at, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await MessageTemplate.all().count() == before


async def test_only_who_manages_templates_may(at: Desk, operator: httpx.AsyncClient) -> None:
    operator.headers["Authorization"] = "Bearer other"
    assert (await save(operator, content(at))).status_code == 403
    assert (await operator.get(PATH)).status_code == 403


async def test_an_account_for_some_districts_changes_the_words_of_no_other(
    at: Desk, operator: httpx.AsyncClient
) -> None:
    before = await MessageTemplate.all().count()
    operator.headers["Authorization"] = "Bearer district"
    for district in ("", "320115"):
        answer = await save(operator, content(at, district=district), key=f"save-{district or 'all'}-0001")
        assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_MISSING")
    assert await MessageTemplate.all().count() == before
    assert (await save(operator, content(at, district="320114"))).json()["district"] == "320114"
