import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wechatpayv3.async_ import AsyncWeChatPay

from sandbox.signing import pay_request_message
from tests.sandbox.city import City, Receiver

OPENID = "oSandboxPerson000000000000P3"
Call = Callable[..., Awaitable[tuple[int, Any]]]


def told(answer: tuple[int, str]) -> tuple[int, Any]:
    return answer[0], json.loads(answer[1]) if answer[1] else None


async def order(sdk: AsyncWeChatPay, number: str = "20261121a", **changes: Any) -> tuple[int, Any]:
    asked = {
        "description": "不动产登记费",
        "out_trade_no": number,
        "amount": {"total": 8000, "currency": "CNY"},
        "payer": {"openid": OPENID},
    }
    return told(await sdk.pay(**asked | changes))


async def test_order_pay_query(sdk: AsyncWeChatPay, city: City, receiver: Receiver):
    status, answer = await order(sdk, notify_url=receiver.url, attach="fee")
    assert status == 200
    status, shown = told(await sdk.query(out_trade_no="20261121a"))
    assert (status, shown["trade_state"]) == (200, "NOTPAY")
    assert "transaction_id" not in shown
    assert await city.control("POST", "/wx/pay", **city.payment(answer["prepay_id"])) == {"result": "ok"}
    _, shown = told(await sdk.query(out_trade_no="20261121a"))
    assert shown["trade_state"] == "SUCCESS"
    assert shown["amount"] == {"total": 8000, "currency": "CNY", "payer_total": 8000, "payer_currency": "CNY"}
    assert shown["attach"] == "fee"
    assert len(shown["transaction_id"]) == 28
    assert told(await sdk.query(transaction_id=shown["transaction_id"])) == (200, shown)


async def test_close(sdk: AsyncWeChatPay):
    _, answer = await order(sdk)
    status, _ = await sdk.close(out_trade_no="20261121a")
    assert status == 204
    assert told(await sdk.query(out_trade_no="20261121a"))[1]["trade_state"] == "CLOSED"
    assert told(await sdk.close(out_trade_no="20261121a")) == (400, {"code": "ORDER_CLOSED", "message": "订单已关闭"})
    assert (await order(sdk))[1]["code"] == "OUT_TRADE_NO_USED"
    assert answer["prepay_id"].startswith("wx")


async def test_the_same_order_again(sdk: AsyncWeChatPay, city: City, receiver: Receiver):
    _, first = await order(sdk, notify_url=receiver.url)
    assert (await order(sdk, notify_url=receiver.url))[1] == first
    status, answer = await order(sdk, notify_url=receiver.url, amount={"total": 1})
    assert (status, answer["code"]) == (403, "OUT_TRADE_NO_USED")
    await city.control("POST", "/clock", advance_seconds=250)
    await city.control("POST", "/wx/pay", **city.payment(first["prepay_id"]))
    status, answer = await order(sdk, notify_url=receiver.url)
    assert (status, answer["code"]) == (403, "OUT_TRADE_NO_USED")
    status, answer = told(await sdk.close(out_trade_no="20261121a"))
    assert (status, answer["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": {"total": 0}},
        {"amount": {"total": 80.5}},
        {"amount": {"total": 80, "currency": "USD"}},
        {"description": "长" * 128},
        {"out_trade_no": "short"},
        {"out_trade_no": "has space"},
        {"notify_url": "http://city.example/callback"},
        {"notify_url": "https://city.example/callback?a=1"},
        {"notify_url": "https://city.example/" + "a" * 250},
        {"payer": {"openid": "oStranger"}},
        {"attach": "a" * 129},
        {"time_expire": "2001-01-01T00:00:00+08:00"},
        {"time_expire": "tomorrow"},
    ],
)
async def test_wrong_parameters(sdk: AsyncWeChatPay, changes: dict[str, Any]):
    status, answer = await order(sdk, **changes)
    assert (status, answer["code"]) == (400, "PARAM_ERROR")


async def test_another_app_and_an_absent_order(sdk: AsyncWeChatPay):
    status, answer = await order(sdk, appid="wx0000000000000000")
    assert (status, answer["code"]) == (400, "APPID_MCHID_NOT_MATCH")
    status, answer = told(await sdk.query(out_trade_no="never-made"))
    assert (status, answer["code"]) == (404, "ORDER_NOT_EXIST")
    status, answer = told(await sdk.close(out_trade_no="never-made"))
    assert (status, answer["code"]) == (404, "ORDER_NOT_EXIST")


async def test_an_order_past_its_time_is_closed(sdk: AsyncWeChatPay, city: City):
    _, answer = await order(sdk, time_expire="2999-01-01T00:00:00+08:00")
    expiring = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 120))
    await order(sdk, "20261121b", time_expire=expiring)
    await city.control("POST", "/clock", advance_seconds=130)
    states = {each["out_trade_no"]: each["trade_state"] for each in (await city.control("GET", "/pay/orders"))["items"]}
    assert states == {"20261121a": "NOTPAY", "20261121b": "CLOSED"}
    await city.control("POST", "/clock", advance_seconds=7200)
    paid = await city.control("POST", "/wx/pay", **city.payment(answer["prepay_id"]))
    assert paid == {"result": "fail", "errMsg": "requestPayment:fail 订单已失效"}


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"outcome": "cancel"}, "cancel"),
        ({"nonceStr": "another"}, "fail"),
        ({"paySign": "AAAA"}, "fail"),
        ({"signType": "MD5"}, "fail"),
        ({"person": "P1"}, "fail"),
    ],
)
async def test_payments_that_do_not_happen(sdk: AsyncWeChatPay, city: City, changes: dict[str, str], result: str):
    _, answer = await order(sdk)
    sent = city.payment(answer["prepay_id"]) | changes
    assert (await city.control("POST", "/wx/pay", **sent))["result"] == result
    assert told(await sdk.query(out_trade_no="20261121a"))[1]["trade_state"] == "NOTPAY"


def authorization(city: City, path: str, *, timestamp: int, serial: str | None = None, nonce: str = "n") -> str:
    message = pay_request_message(method="GET", path=path, timestamp=str(timestamp), nonce=nonce, body=b"")
    parts = {
        "mchid": city.ids["mchid"],
        "nonce_str": "n",
        "signature": city.sign(message),
        "timestamp": str(timestamp),
        "serial_no": serial or city.ids["merchant_serial"],
    }
    return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{value}"' for name, value in parts.items())


async def test_signatures_that_do_not_hold(city: City):
    path = f"/v3/pay/transactions/out-trade-no/never-made?mchid={city.ids['mchid']}"
    now = int(time.time())
    for header in (
        "",
        authorization(city, path, timestamp=now - 301),
        authorization(city, path, timestamp=now, serial="0" * 40),
        authorization(city, path, timestamp=now, nonce="other"),
        authorization(city, path + "0", timestamp=now),
    ):
        answer = await city.http.get(path, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    answer = await city.http.get(path, headers={"Authorization": authorization(city, path, timestamp=now)})
    assert answer.status_code == 404


async def test_the_prefixed_root_signs_its_own_path(city: City):
    path = f"/wechatpay/v3/pay/transactions/out-trade-no/never-made?mchid={city.ids['mchid']}"
    header = authorization(city, path, timestamp=int(time.time()))
    answer = await city.http.get(path, headers={"Authorization": header, "Wechatpay-Serial": "PUB_KEY_ID_OTHER"})
    assert answer.json()["message"] == "参数错误：Wechatpay-Serial"
    answer = await city.http.get(path, headers={"Authorization": header})
    assert answer.json()["code"] == "ORDER_NOT_EXIST"


async def test_spoilt_and_failing_answers(sdk: AsyncWeChatPay, fault: Call):
    await fault("pay.order", "wrong_signature")
    with pytest.raises(Exception, match="failed to verify the signature"):
        await order(sdk)
    await fault("pay.order", "status", status=429)
    await fault("pay.order", "status", status=500)
    assert [(await order(sdk))[1]["code"] for _ in range(2)] == ["FREQUENCY_LIMITED", "SYSTEM_ERROR"]
    assert (await order(sdk))[0] == 200
