import json
from typing import Any

import pytest

from tests.sandbox.alipay.merchant import OPEN_ID, Merchant
from tests.sandbox.city import City

DATA = {
    "keyword1": "二手房转移登记",
    "keyword2": "20261121-320114-000001",
    "keyword3": "已受理",
    "keyword4": "2026年11月21日 10:30",
    "keyword5": "请留意办理进度",
}
ONCE, LONG = "fee_due", "case_accepted"


async def send(merchant: Merchant, template: str = ONCE, **changes: Any) -> dict[str, Any]:
    biz = {
        "to_open_id": OPEN_ID,
        "user_template_id": merchant.city.ids["alipay_templates"][template],
        "page": "pages/case/index?id=1",
        "data": json.dumps({name: {"value": value} for name, value in DATA.items()}, ensure_ascii=False),
    }
    return await merchant.call("alipay.open.app.mini.templatemessage.send", biz | changes)


async def subscribe(city: City, *templates: str, accept: bool = True) -> dict[str, Any]:
    ids = [city.ids["alipay_templates"][each] for each in templates]
    return await city.control("POST", "/alipay/subscribe", person="P3", templates=ids, accept=accept)


async def states(merchant: Merchant, *templates: str) -> list[tuple[str, str]]:
    ids = [merchant.city.ids["alipay_templates"][each] for each in templates]
    biz = {"open_id": OPEN_ID, "template_id_list": ids}
    shown = await merchant.call("alipay.open.app.messagetemplate.subscribe.query", biz)
    return [(each["subscribe_type"], each["subscribe_state"]) for each in shown["subscribe_relations"]]


async def test_a_one_time_accept_is_one_message(merchant: Merchant, city: City):
    assert (await send(merchant))["sub_code"] == "USER_NOT_SUBSCRIBE"
    await subscribe(city, ONCE)
    await subscribe(city, ONCE)
    assert [(await send(merchant))["code"] for _ in range(3)] == ["10000", "10000", "40004"]
    items = (await city.control("GET", "/alipay/messages?person=P3"))["items"]
    assert len(items) == 2
    assert (items[0]["template"], items[0]["data"]) == (ONCE, DATA)
    assert (await city.control("GET", "/alipay/messages?person=P2"))["items"] == []


async def test_a_long_term_accept_holds_until_it_is_taken_back(merchant: Merchant, city: City):
    await subscribe(city, LONG)
    assert [(await send(merchant, LONG))["code"] for _ in range(3)] == ["10000"] * 3
    assert await states(merchant, LONG, ONCE) == [("longterm", "1"), ("onetime", "0")]
    await subscribe(city, LONG, accept=False)
    assert (await send(merchant, LONG))["sub_code"] == "USER_NOT_SUBSCRIBE"
    assert await states(merchant, LONG) == [("longterm", "0")]


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        ({"to_open_id": "nobody"}, "USER_NOT_EXIST"),
        ({"user_template_id": "none"}, "TEMPLATE_NOT_EXIST"),
        ({"page": ""}, "INVALID_PARAMETER"),
        ({"page": "p" * 129}, "INVALID_PARAMETER"),
        ({"data": {"keyword1": {"value": "x"}}}, "INVALID_PARAMETER"),
        ({"data": "{"}, "INVALID_PARAMETER"),
        ({"data": " " * 2049}, "INVALID_PARAMETER"),
        ({"data": '{"keyword1":{"value":"x"}}'}, "TEMPLATE_PARAM_ILLEGAL"),
        ({"data": json.dumps({name: {"value": ""} for name in DATA})}, "TEMPLATE_PARAM_ILLEGAL"),
        ({"data": json.dumps(DATA)}, "TEMPLATE_PARAM_ILLEGAL"),
    ],
)
async def test_a_refused_message_spends_nothing(merchant: Merchant, city: City, changes: dict[str, Any], sub_code: str):
    await subscribe(city, ONCE)
    assert (await send(merchant, **changes))["sub_code"] == sub_code
    assert (await send(merchant))["code"] == "10000"


async def test_what_the_phone_does_not_show(city: City):
    for templates in (
        (),
        (ONCE, LONG),
        ("fee_due", "payment_settled", "application_submitted", "confirmation_requested"),
    ):
        ids = [city.ids["alipay_templates"][each] for each in templates]
        answer = await city.http.post("/_control/alipay/subscribe", json={"person": "P3", "templates": ids})
        assert answer.status_code == 422
    types = {
        each["template"]: each["subscribe_type"] for each in (await city.control("GET", "/alipay/templates"))["items"]
    }
    assert (types[ONCE], types[LONG]) == ("onetime", "longterm")
