from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.sandbox.alipay.merchant import Merchant
from tests.sandbox.city import City

NUMBER = "T20261121_1"
Tap = Callable[..., Awaitable[str]]


async def refund(merchant: Merchant, amount: str, request: str | None = "R1", **more: Any) -> dict[str, Any]:
    biz = {"out_trade_no": NUMBER, "refund_amount": amount, "out_request_no": request, **more}
    return await merchant.call("alipay.trade.refund", {name: each for name, each in biz.items() if each is not None})


async def ask(merchant: Merchant, request: str = "R1") -> dict[str, Any]:
    return await merchant.call("alipay.trade.fastpay.refund.query", {"out_trade_no": NUMBER, "out_request_no": request})


@pytest.fixture
async def paid(merchant: Merchant, tap: Tap) -> None:
    made = await merchant.create()
    assert await tap(made["trade_no"]) == "9000"


@pytest.mark.usefixtures("paid")
async def test_money_moves_once_per_request(merchant: Merchant):
    first = await refund(merchant, "30.00", refund_reason="多收")
    assert (first["code"], first["fund_change"], first["refund_fee"]) == ("10000", "Y", "30.00")
    again = await refund(merchant, "30.00")
    assert (again["code"], again["fund_change"], again["refund_fee"]) == ("10000", "N", "30.00")
    other = await refund(merchant, "31.00")
    assert other["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert (await merchant.query())["trade_status"] == "TRADE_SUCCESS"
    shown = await ask(merchant)
    assert (shown["refund_status"], shown["refund_amount"], shown["total_amount"]) == (
        "REFUND_SUCCESS",
        "30.00",
        "80.00",
    )


@pytest.mark.usefixtures("paid")
async def test_the_last_fen_closes_the_trade(merchant: Merchant):
    await refund(merchant, "30.00")
    assert (await refund(merchant, "50.01", "R2"))["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    last = await refund(merchant, "50.00", "R2")
    assert (last["fund_change"], last["refund_fee"]) == ("Y", "80.00")
    assert (await merchant.query())["trade_status"] == "TRADE_CLOSED"
    assert (await refund(merchant, "0.01", "R3"))["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert (await refund(merchant, "50.00", "R2"))["fund_change"] == "N"


@pytest.mark.usefixtures("paid")
async def test_a_refund_that_was_never_made(merchant: Merchant):
    shown = await ask(merchant, "R9")
    assert shown == {"code": "10000", "msg": "Success"}


@pytest.mark.usefixtures("paid")
async def test_without_a_request_number_only_everything(merchant: Merchant):
    assert (await refund(merchant, "1.00", None))["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert (await refund(merchant, "80.00", None))["fund_change"] == "Y"
    assert (await ask(merchant, NUMBER))["refund_status"] == "REFUND_SUCCESS"


async def test_what_cannot_be_refunded(merchant: Merchant, city: City, tap: Tap):
    assert (await refund(merchant, "1.00"))["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    made = await merchant.create()
    assert (await refund(merchant, "1.00"))["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert (await refund(merchant, "0"))["sub_code"] == "ACQ.INVALID_PARAMETER"
    await tap(made["trade_no"])
    year = 365 * 24 * 3600 + 1
    await city.control("POST", "/clock", advance_seconds=year)
    (trade,) = (await city.control("GET", "/alipay/trades"))["items"]
    assert trade["status"] == "TRADE_FINISHED"
