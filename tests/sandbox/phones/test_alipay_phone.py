import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.people import FICTIONAL
from sandbox.phones.alipay_phone import AlipayPhone
from sandbox.phones.journey import Journey, NotAsItShould
from sandbox.phones.outside import OutsideWorld
from sandbox.server import Running
from tests.sandbox.alipay.merchant import GATEWAY, Merchant
from tests.sandbox.city import City

Product = Callable[[httpx.Request], dict[str, Any]]


@pytest.fixture
def phone(running: Running, directory: Path) -> Iterator[Callable[[Product], AlipayPhone]]:
    """P3's phone, to which `product` answers; the control desk is the real one."""
    outside = OutsideWorld(running.url, directory)
    opened = []

    def hold(product: Product) -> AlipayPhone:
        made = AlipayPhone.of(FICTIONAL[2], base_url="http://city.example", journey=Journey(), outside=outside)
        made.calls.close()

        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(
                201 if request.url.path.endswith(("alipay", "face-checks")) else 200, json=product(request)
            )

        made.calls._http = httpx.Client(base_url="http://city.example", transport=httpx.MockTransport(answer))
        opened.append(made)
        return made

    yield hold
    for each in opened:
        each.calls.close()
    outside.close()


async def test_a_login_code_that_alipay_takes(phone: Callable[[Product], AlipayPhone], merchant: Merchant):
    seen: list[dict[str, Any]] = []

    def product(request: httpx.Request) -> dict[str, Any]:
        seen.append(json.loads(request.content))
        return {"token": "t"}

    held = phone(product)
    await asyncio.to_thread(held.log_in)
    assert held.calls.token == "t"
    form = {"grant_type": "authorization_code", "code": seen[0]["code"]}
    session = await merchant.call("alipay.system.oauth.token", form=form)
    assert session["open_id"] == held.person.alipay_open_id


async def test_paying_what_was_ordered(phone: Callable[[Product], AlipayPhone], merchant: Merchant):
    made = await merchant.create()
    held = phone(lambda _: {})
    await asyncio.to_thread(held.pay, {"tradeNO": made["trade_no"]})
    assert (await merchant.query())["trade_status"] == "TRADE_SUCCESS"
    with pytest.raises(NotAsItShould, match="4000"):
        await asyncio.to_thread(held.pay, {"tradeNO": made["trade_no"]})


async def test_agreeing_to_all_kinds_of_templates(phone: Callable[[Product], AlipayPhone], city: City):
    kinds = (await city.control("GET", "/alipay/templates"))["items"]
    items = [
        {
            "template": each["template"],
            "template_id": each["template_id"],
            "standing": each["subscribe_type"] == "longterm",
        }
        for each in kinds
    ]
    told: list[dict[str, Any]] = []

    def product(request: httpx.Request) -> dict[str, Any]:
        if request.method == "POST":
            told.append(json.loads(request.content))
        return {"items": items}

    await asyncio.to_thread(phone(product).accept_messages)
    assert told == [{"templates": {each["template"]: "accept" for each in items}}]


async def test_a_face_before_the_checks_own_page(
    phone: Callable[[Product], AlipayPhone], merchant: Merchant, running: Running
):
    biz = {
        "outer_order_no": "YC1",
        "biz_code": "FACE",
        "identity_param": {
            "identity_type": "CERT_INFO",
            "cert_type": "IDENTITY_CARD",
            "cert_name": "王强",
            "cert_no": "320106199003079973",
        },
        "merchant_config": {"return_url": "alipays://x"},
    }
    certify_id = (await merchant.call("alipay.user.certify.open.initialize", biz))["certify_id"]
    params = merchant.common("alipay.user.certify.open.certify", biz_content=json.dumps({"certify_id": certify_id}))
    url = str(httpx.URL(running.url + GATEWAY, params=merchant.signed(params)))
    check = {"id": "c1", "verify_id": certify_id, "verify_url": url, "state": "passed"}
    assert await asyncio.to_thread(phone(lambda _: check).prove_it_is_me, "digest") == "c1"
    shown = await merchant.call("alipay.user.certify.open.query", {"certify_id": certify_id})
    assert shown["passed"] == "T"
