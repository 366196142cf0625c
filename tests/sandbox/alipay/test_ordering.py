from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.sandbox.alipay.merchant import Merchant
from tests.sandbox.city import City

Tap = Callable[..., Awaitable[str]]


async def test_create_pay_query(merchant: Merchant, tap: Tap):
    made = await merchant.create()
    assert (made["code"], made["msg"], made["out_trade_no"]) == ("10000", "Success", "T20261121_1")
    assert (await merchant.query())["trade_status"] == "WAIT_BUYER_PAY"
    assert await tap(made["trade_no"], outcome="cancel") == "6001"
    assert await tap(made["trade_no"], person="P2") == "4000"
    assert await tap(made["trade_no"]) == "9000"
    shown = await merchant.query()
    assert shown["trade_status"] == "TRADE_SUCCESS"
    assert (shown["trade_no"], shown["total_amount"]) == (made["trade_no"], "80.00")
    assert shown["fund_bill_list"] == [{"amount": "80.00", "fund_channel": "ALIPAYACCOUNT"}]
    assert await tap(made["trade_no"]) == "4000"
    assert (await merchant.call("alipay.trade.query", {"trade_no": made["trade_no"]})) == shown


async def test_the_same_trade_again(merchant: Merchant, tap: Tap):
    made = await merchant.create()
    assert await merchant.create() == made
    assert (await merchant.create(total_amount="80.01"))["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    stranger = "074aSandboxAlipayPerson000000000000P2"
    assert (await merchant.create(buyer_open_id=stranger))["sub_code"] == "ACQ.TRADE_BUYER_NOT_MATCH"
    await tap(made["trade_no"])
    refused = await merchant.create()
    assert (refused["code"], refused["sub_code"]) == ("40004", "ACQ.TRADE_HAS_SUCCESS")


async def test_close(merchant: Merchant, tap: Tap):
    made = await merchant.create()
    closed = await merchant.call("alipay.trade.close", {"out_trade_no": "T20261121_1"})
    assert (closed["code"], closed["trade_no"]) == ("10000", made["trade_no"])
    assert (await merchant.query())["trade_status"] == "TRADE_CLOSED"
    assert (await merchant.create())["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert await tap(made["trade_no"]) == "4000"
    again = await merchant.call("alipay.trade.close", {"out_trade_no": "T20261121_1"})
    assert again["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


async def test_what_does_not_exist(merchant: Merchant):
    for method in ("alipay.trade.query", "alipay.trade.close"):
        refused = await merchant.call(method, {"out_trade_no": "nothing"})
        assert (refused["code"], refused["sub_code"]) == ("40004", "ACQ.TRADE_NOT_EXIST")
        assert (await merchant.call(method, {}))["sub_code"] == "ACQ.INVALID_PARAMETER"


async def test_nobody_pays_in_time(merchant: Merchant, city: City, tap: Tap):
    made = await merchant.create(timeout_express="5m")
    await city.control("POST", "/clock", advance_seconds=301)
    assert await tap(made["trade_no"]) == "4000"
    (trade,) = (await city.control("GET", "/alipay/trades"))["items"]
    assert trade["status"] == "TRADE_CLOSED"


@pytest.mark.parametrize(
    "changes",
    [
        {"out_trade_no": "with-dash"},
        {"out_trade_no": "a" * 65},
        {"total_amount": "0.00"},
        {"total_amount": "1.234"},
        {"total_amount": "100000000.01"},
        {"subject": "a/b"},
        {"subject": ""},
        {"product_code": "FACE_TO_FACE_PAYMENT"},
        {"op_app_id": "2021999999999999"},
        {"time_expire": "2020-01-01 00:00:00"},
        {"timeout_express": "soon"},
        {"notify_url": "http://city.example/callback"},
    ],
)
async def test_what_is_refused(merchant: Merchant, changes: dict[str, Any]):
    refused = await merchant.create(**changes)
    assert (refused["code"], refused["sub_code"]) == ("40004", "ACQ.INVALID_PARAMETER")


async def test_an_unknown_buyer(merchant: Merchant):
    assert (await merchant.create(buyer_open_id="nobody"))["sub_code"] == "ACQ.BUYER_NOT_EXIST"


async def test_a_buyer_by_user_id(merchant: Merchant, city: City):
    people = (await city.control("GET", "/people"))["items"]
    user_id = next(each["alipay_user_id"] for each in people if each["key"] == "P3")
    assert len(user_id) == 16
    assert user_id.startswith("2088")
    made = await merchant.create(buyer_id=user_id, buyer_open_id=None)
    assert made["code"] == "10000"
