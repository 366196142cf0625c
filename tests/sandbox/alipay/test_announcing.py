import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sandbox.alipay.announcing import SCHEDULE
from sandbox.server import served
from sandbox.signing import alipay_content, rsa_verifies
from tests.sandbox.alipay.merchant import Merchant
from tests.sandbox.city import City, Receiver

NUMBER = "T20261121_1"
Tap = Callable[..., Awaitable[str]]
Call = Callable[..., Awaitable[Any]]
# A published vector: notification, signature and key of another platform than this one.
KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw9sRmkmKehI9VhEFTeEL/E1DAMLeM2cXTYxaRZmEzkgqcPrQY11OZWTKCBg9qAbRCTjp"
    "EgUwsoopToqzBLOFT/Sx1tLcy1JgQfRkHsE4ssYR5Md78V/JQAh9DgF8GwWY+sd78uFwP/S5ockgQ1gILb23txDqkoJD5RXgdFA60SQ+CAWgNsJ/"
    "YIagVsXvXpimm/Olc8xrIQEmd2HrZpnlmxMEV6m7/er29yFhhrW1hz8SD0xqCsfxpw6k+kzcO2XZAO5D5xVxPx5cz5NdoISjGwqcnmj4BfpJEmGk"
    "UhHdt4+ipIAepcuHdLy4tobcuqeQ36544iUR8IcuLxjZZUncpQIDAQAB"
)
SIGNATURE = (
    "H3LLZPPWG6Yps/PcJRRqycStT0jdhlJPMVehfqjdgunkr0O/dAzFsTyW62ucCU0OgOX7Ddo0Pv5hTEB2W83FA9anXOeVhbM+gKzQcpYA0f2XRWlb"
    "ZFS2fkKyZZIFPcI8FcaAZ5fB/Qen+1RIi1/Y7zVk9C+2wYWBqMz5Y3OaJmjI/1ITNpyNUA8v59A68oi5nwgWJd2DVeVdWs+fBkxZfhg3WwaqIi4Z"
    "PRHIHJzi9IDKXzyij7+IhjkFpb3Fev5wRl4XHiKPgURT+My99mgx0SDMTQs6nn/Ky8AT3s0HTqGou19lcwb6WW8qq0jr7DvJg13DGlN3u+Ebv6qR"
    "4E25mQ=="
)


def test_a_published_notification_verifies():
    told = {
        "app_id": "2021000000000001",
        "buyer_open_id": "o1",
        "charset": "utf-8",
        "out_trade_no": "T20261121-1",
        "subject": "测试 A&B=1",
        "total_amount": "1.00",
        "trade_status": "TRADE_SUCCESS",
        "version": "1.0",
        "sign": SIGNATURE,
    }
    key = load_der_public_key(base64.b64decode(KEY))
    assert rsa_verifies(key, alipay_content(told), SIGNATURE)  # type: ignore[arg-type]
    assert not rsa_verifies(key, alipay_content(told | {"total_amount": "1.01"}), SIGNATURE)  # type: ignore[arg-type]


def test_the_schedule_is_the_real_one():
    assert SCHEDULE == (240, 600, 600, 3600, 7200, 21600, 54000)


def read(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("ascii"), strict_parsing=True))


def honest(merchant: Merchant, told: dict[str, str], *, with_type: bool = False) -> bool:
    """Whether the signature covers what was told, by the platform's own SDK."""
    left_out = {"sign"} if with_type else {"sign", "sign_type"}
    content = "&".join(f"{name}={told[name]}" for name in sorted(told) if name not in left_out)
    return merchant.verifies(content, told["sign"])


@pytest.fixture
async def trade_no(merchant: Merchant, receiver: Receiver) -> str:
    receiver.statuses, receiver.body = [200], b"success"
    made = await merchant.create(notify_url=receiver.url, passback_params="a%3D1")
    return str(made["trade_no"])


async def accepted(city: City) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            items = list((await city.control("GET", "/deliveries"))["items"])
            if items and all(each["accepted"] for each in items):
                return items
            await asyncio.sleep(0.01)


async def test_a_payment_is_told(merchant: Merchant, city: City, trade_no: str, tap: Tap, receiver: Receiver):
    await tap(trade_no)
    headers, body = (await receiver.wait_for(1))[0]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    told = read(body)
    assert honest(merchant, told)
    assert told["trade_no"] == trade_no
    assert told["trade_status"] == "TRADE_SUCCESS"
    assert told["notify_type"] == "trade_status_sync"
    assert (told["app_id"], told["seller_id"]) == (city.ids["alipay_app_id"], city.ids["alipay_seller_id"])
    assert (told["out_trade_no"], told["total_amount"], told["passback_params"]) == (NUMBER, "80.00", "a%3D1")
    assert told["fund_bill_list"] == '[{"amount":"80.00","fundChannel":"ALIPAYACCOUNT"}]'
    await accepted(city)


@pytest.mark.parametrize("said", [b"fail", b"success\n", b"SUCCESS", b""])
async def test_only_the_exact_word_ends_it(
    said: bytes, merchant: Merchant, city: City, trade_no: str, tap: Tap, receiver: Receiver
):
    receiver.body = said
    await tap(trade_no)
    await receiver.wait_for(2)
    receiver.body = b"success"
    (delivery,) = await accepted(city)
    told = [read(body) for _, body in receiver.received]
    assert len({each["notify_id"] for each in told}) == 1
    assert all(honest(merchant, each) for each in told)
    assert delivery["attempts"][0]["status"] == 200


async def test_success_with_another_status_is_repeated(trade_no: str, tap: Tap, receiver: Receiver, city: City):
    receiver.statuses = [302, 200]
    await tap(trade_no)
    await receiver.wait_for(2)
    (delivery,) = await accepted(city)
    assert [each["status"] for each in delivery["attempts"]] == [302, 200]


async def test_refunds_are_told_to_the_payments_address(
    merchant: Merchant, trade_no: str, tap: Tap, receiver: Receiver
):
    await tap(trade_no)
    await receiver.wait_for(1)
    for request, amount in (("R1", "30.00"), ("R2", "50.00")):
        biz = {"out_trade_no": NUMBER, "refund_amount": amount, "out_request_no": request}
        await merchant.call("alipay.trade.refund", biz)
    told = [read(body) for _, body in await receiver.wait_for(3)]
    partly = next(each for each in told if each.get("out_biz_no") == "R1")
    wholly = next(each for each in told if each.get("out_biz_no") == "R2")
    assert (partly["trade_status"], partly["refund_fee"]) == ("TRADE_SUCCESS", "30.00")
    assert (wholly["trade_status"], wholly["refund_fee"]) == ("TRADE_CLOSED", "80.00")
    assert partly["gmt_refund"].endswith(".000")
    assert partly["notify_id"] != wholly["notify_id"] != told[0]["notify_id"]
    assert all(honest(merchant, each) for each in told)


@pytest.mark.parametrize(
    "claim",
    [
        {"app_id": "2021999999999999"},
        {"seller_id": "2088999999999999"},
        {"total_amount": "0.01"},
        {"claim_out_trade_no": "T_other"},
        {"trade_status": "TRADE_FINISHED"},
    ],
)
async def test_lies_under_a_good_signature(
    claim: dict[str, str], merchant: Merchant, city: City, trade_no: str, receiver: Receiver
):
    said = await city.control("POST", "/alipay/notify", out_trade_no=NUMBER, **claim)
    assert said == {"status": 200, "body": "success"}
    told = read(receiver.received[0][1])
    assert honest(merchant, told)
    ((name, value),) = claim.items()
    assert told[name.removeprefix("claim_")] == value
    assert trade_no == told["trade_no"]


async def test_forgeries(merchant: Merchant, city: City, trade_no: str, tap: Tap, receiver: Receiver):
    await tap(trade_no)
    await receiver.wait_for(1)

    async def extra(**forgery: Any) -> dict[str, str]:
        await city.control("POST", "/alipay/notify", out_trade_no=NUMBER, **forgery)
        return read(receiver.received[-1][1])

    assert not honest(merchant, await extra(wrong_key=True))
    rewritten = await extra(reencode=True)
    assert not honest(merchant, rewritten)
    assert json.loads(rewritten["fund_bill_list"]) == [{"amount": "80.00", "fundChannel": "ALIPAYACCOUNT"}]
    dropped = await extra(drop_sign_type=True)
    assert "sign_type" not in dropped
    assert honest(merchant, dropped)
    along = await extra(sign_with_type=True)
    assert honest(merchant, along, with_type=True)
    assert not honest(merchant, along)
    stale = await extra(stale_seconds=86400)
    assert stale["notify_time"] < along["notify_time"]
    await extra(replay=True)
    assert receiver.received[-1] == receiver.received[0]


async def test_a_faulty_way(merchant: Merchant, trade_no: str, tap: Tap, receiver: Receiver, fault: Call, city: City):
    await fault("alipay.notify", "drop")
    await fault("alipay.notify", "wrong_signature")
    await fault("alipay.notify", "duplicate")
    receiver.statuses = [400, 200]
    await tap(trade_no)
    received = await receiver.wait_for(3)
    assert [honest(merchant, read(body)) for _, body in received] == [False, True, True]
    (delivery,) = await accepted(city)
    assert delivery["attempts"][0]["status"] is None


async def test_what_nobody_acknowledged_is_told_after_a_restart(
    directory: Path, merchant: Merchant, trade_no: str, tap: Tap, receiver: Receiver, city: City
):
    receiver.statuses = [500]
    await tap(trade_no)
    await receiver.wait_for(1)
    receiver.statuses = [200]
    before = read(receiver.received[0][1])
    async with served(directory, time_scale=0.001):
        async with asyncio.timeout(60):
            await receiver.wait_for(2)
    assert read(receiver.received[-1][1])["notify_id"] == before["notify_id"]


async def test_a_refund_is_told_before_its_payment(
    merchant: Merchant, trade_no: str, tap: Tap, receiver: Receiver, fault: Call, city: City
):
    await fault("alipay.notify", "out_of_order")
    await fault("alipay.notify", "stale_clock", seconds=3600)
    await tap(trade_no)
    biz = {"out_trade_no": NUMBER, "refund_amount": "30.00", "out_request_no": "R1"}
    await merchant.call("alipay.trade.refund", biz)
    refund, payment = [read(body) for _, body in await receiver.wait_for(2)]
    assert refund["out_biz_no"] == "R1"
    assert "out_biz_no" not in payment
    assert refund["notify_time"] < payment["notify_time"]
    assert honest(merchant, refund)
    await accepted(city)
