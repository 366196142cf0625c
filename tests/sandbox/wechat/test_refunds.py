"""WeChat Pay's refunds, judged through the SDK that others wrote."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from wechatpayv3.async_ import AsyncWeChatPay

from sandbox.server import Running
from tests.sandbox.city import City, Receiver

NUMBER, REFUND = "T20261121_1", "R20261121_1"


async def paid(city: City, *, number: str = NUMBER, notify_url: str = "http://127.0.0.1:9/nobody") -> None:
    prepay_id = await city.order(number, notify_url=notify_url)
    assert (await city.control("POST", "/wx/pay", **city.payment(prepay_id)))["result"] == "ok"


async def ask(
    sdk: AsyncWeChatPay,
    amount: int = 8000,
    *,
    refund: str = REFUND,
    number: str = NUMBER,
    total: int = 8000,
    **more: str,
) -> tuple[int, dict[str, Any]]:
    status, text = await sdk.refund(
        out_refund_no=refund,
        amount={"refund": amount, "total": total, "currency": "CNY"},
        out_trade_no=number,
        **more,
    )
    return status, json.loads(text)


async def test_a_refund_is_taken_on_first_and_carried_out_later(sdk: AsyncWeChatPay, city: City) -> None:
    await paid(city)
    await city.control("POST", "/pay/refunds", hold=True)
    status, answer = await ask(sdk, reason="重复支付")
    assert (status, answer["status"], answer["amount"]["refund"]) == (200, "PROCESSING", 8000)
    _, order = await sdk.query(out_trade_no=NUMBER)
    assert json.loads(order)["trade_state"] == "REFUND"

    await city.control("POST", "/pay/refund", out_refund_no=REFUND)
    status, text = await sdk.query_refund(REFUND)
    assert (status, json.loads(text)["status"]) == (200, "SUCCESS")
    assert json.loads(text)["refund_id"] == answer["refund_id"]


async def test_the_same_number_is_one_refund(sdk: AsyncWeChatPay, city: City) -> None:
    await paid(city)
    await city.control("POST", "/pay/refunds", hold=True)
    _, first = await ask(sdk, 3000)
    _, again = await ask(sdk, 3000)
    assert first["refund_id"] == again["refund_id"]
    status, other = await ask(sdk, 3001)
    assert (status, other["code"]) == (400, "INVALID_REQUEST")
    assert len((await city.control("GET", "/pay/refunds"))["items"]) == 1


async def test_it_ends_by_itself_unless_it_is_held(sdk: AsyncWeChatPay, city: City) -> None:
    await paid(city)
    await ask(sdk)
    for _ in range(2000):
        _, text = await sdk.query_refund(REFUND)
        if json.loads(text)["status"] == "SUCCESS":
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never ended")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"amount": 8001}, (400, "INVALID_REQUEST")),
        ({"total": 9000}, (400, "INVALID_REQUEST")),
        ({"number": "T20261121_9"}, (404, "ORDER_NOT_EXIST")),
        ({"refund": "a b"}, (400, "PARAM_ERROR")),
        ({"reason": "长" * 81}, (400, "PARAM_ERROR")),
    ],
)
async def test_what_is_refused(
    sdk: AsyncWeChatPay, city: City, asked: dict[str, Any], expected: tuple[int, str]
) -> None:
    await paid(city)
    status, answer = await ask(sdk, **asked)
    assert (status, answer["code"]) == expected


async def test_an_unpaid_order_has_nothing_to_give_back(sdk: AsyncWeChatPay, city: City) -> None:
    await city.order(NUMBER)
    assert (await ask(sdk))[1]["code"] == "INVALID_REQUEST"


async def test_parts_never_exceed_the_whole_and_keep_their_distance(
    sdk: AsyncWeChatPay, city: City, running: Running
) -> None:
    await paid(city)
    await ask(sdk, 5000)
    running.world.refunds._apart = 60
    assert (await ask(sdk, 1000, refund="R2"))[1]["code"] == "FREQUENCY_LIMITED"
    running.world.refunds._apart = 0
    assert (await ask(sdk, 3001, refund="R3"))[1]["code"] == "INVALID_REQUEST"
    assert (await ask(sdk, 3000, refund="R4"))[0] == 200


async def test_a_balance_too_short_is_a_fault_to_order(
    sdk: AsyncWeChatPay, city: City, fault: Callable[..., Any]
) -> None:
    await paid(city)
    await fault("pay.refund", "status", status=403, code="NOT_ENOUGH")
    assert (await ask(sdk))[1]["code"] == "NOT_ENOUGH"
    assert (await ask(sdk))[0] == 200


async def test_an_unknown_refund_does_not_exist(sdk: AsyncWeChatPay) -> None:
    status, text = await sdk.query_refund("R_nobodys")
    assert (status, json.loads(text)["code"]) == (404, "RESOURCE_NOT_EXISTS")


@pytest.mark.parametrize(("outcome", "word"), [("success", "SUCCESS"), ("abnormal", "ABNORMAL"), ("closed", "CLOSED")])
async def test_the_merchant_is_told_how_it_ended(
    sdk: AsyncWeChatPay, city: City, receiver: Receiver, outcome: str, word: str
) -> None:
    await paid(city)
    await city.control("POST", "/pay/refunds", hold=True)
    await ask(sdk, notify_url=receiver.url)
    await city.control("POST", "/pay/refund", out_refund_no=REFUND, outcome=outcome)
    headers, body = (await receiver.wait_for(1))[0]
    told = sdk.callback(headers, body.decode())
    assert told["event_type"] == f"REFUND.{word}"
    resource = told["resource"]
    assert (resource["refund_status"], resource["out_refund_no"], resource["mchid"]) == (
        word,
        REFUND,
        city.ids["mchid"],
    )
    assert resource["amount"]["refund"] == 8000


async def test_a_closed_one_leaves_the_money_to_be_given_back_anew(sdk: AsyncWeChatPay, city: City) -> None:
    await paid(city)
    await city.control("POST", "/pay/refunds", hold=True)
    await ask(sdk)
    await city.control("POST", "/pay/refund", out_refund_no=REFUND, outcome="closed")
    assert (await ask(sdk, refund="R_second"))[0] == 200


async def test_books_outlive_a_restart(sdk: AsyncWeChatPay, city: City, running: Running) -> None:
    await paid(city)
    await city.control("POST", "/pay/refunds", hold=True)
    await ask(sdk)
    entries = [entry["refund"] for entry in running.world.books.read("refunds")]
    assert [entry["status"] for entry in entries] == ["PROCESSING"]
