import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wechatpayv3.async_ import AsyncWeChatPay

from sandbox.wechat.pay_stamp import SCHEDULE
from tests.sandbox.city import City, Receiver

NUMBER = "20261121a"
Call = Callable[..., Awaitable[Any]]


@pytest.fixture
async def prepaid(sdk: AsyncWeChatPay, receiver: Receiver) -> str:
    _, answer = await sdk.pay(
        description="不动产登记费",
        out_trade_no=NUMBER,
        amount={"total": 8000},
        payer={"openid": "oSandboxPerson000000000000P3"},
        notify_url=receiver.url,
    )
    return str(json.loads(answer)["prepay_id"])


@pytest.fixture
def pay(city: City, prepaid: str) -> Call:
    async def once() -> None:
        await city.control("POST", "/wx/pay", **city.payment(prepaid))

    return once


async def deliveries(city: City) -> list[dict[str, Any]]:
    return list((await city.control("GET", "/deliveries"))["items"])


async def test_a_notification_verifies_and_decrypts(sdk: AsyncWeChatPay, pay: Call, receiver: Receiver, city: City):
    await pay()
    headers, body = (await receiver.wait_for(1))[0]
    told = sdk.callback(headers, body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"]["out_trade_no"] == NUMBER
    assert told["resource"]["amount"]["total"] == 8000
    assert told["resource"]["appid"] == city.ids["app_id"]
    assert sdk.callback(headers, body + b" ") is None
    await asyncio.sleep(0.1)
    assert len(receiver.received) == 1
    assert (await deliveries(city))[0]["accepted"] is True


def test_the_schedule_is_the_real_one():
    assert SCHEDULE == (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
    assert sum(SCHEDULE) == 24 * 3600 + 4 * 60


async def test_repeats_on_the_scaled_schedule(pay: Call, receiver: Receiver, city: City, sdk: AsyncWeChatPay):
    receiver.statuses = [500, 404, 200]
    await pay()
    received = await receiver.wait_for(3)
    assert len({body for _, body in received}) == 1
    assert len({headers["Wechatpay-Nonce"] for headers, _ in received}) == 3
    assert all(sdk.callback(headers, body) for headers, body in received)
    async with asyncio.timeout(60):
        while not (await deliveries(city))[0]["accepted"]:  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.01)
    first, second, third = [attempt["at"] for attempt in (await deliveries(city))[0]["attempts"]]
    assert 0.015 <= second - first < 15, "in seconds that last a thousandth"
    assert 0.015 <= third - second < 15


async def test_a_faulty_way(pay: Call, receiver: Receiver, city: City, sdk: AsyncWeChatPay, fault: Call):
    await fault("pay.notify", "drop")
    await fault("pay.notify", "wrong_signature")
    await fault("pay.notify", "duplicate")
    receiver.statuses = [401, 204]
    await pay()
    received = await receiver.wait_for(3)
    verified = [sdk.callback(headers, body) is not None for headers, body in received]
    assert verified == [False, True, True]
    assert len({body for _, body in received}) == 1
    assert [attempt["status"] for attempt in (await deliveries(city))[0]["attempts"][:2]] == [None, 401]


async def test_extra_notifications(pay: Call, receiver: Receiver, city: City, sdk: AsyncWeChatPay):
    nothing = await city.http.post("/_control/pay/notify", json={"out_trade_no": NUMBER, "replay": True})
    assert nothing.status_code == 409
    await pay()
    honest = (await receiver.wait_for(1))[0]
    receiver.statuses = [200]
    assert await city.control("POST", "/pay/notify", out_trade_no=NUMBER) == {"status": 200, "body": ""}
    assert receiver.received[1][1] == honest[1]
    await city.control("POST", "/pay/notify", out_trade_no=NUMBER, replay=True)
    assert receiver.received[2][1] == honest[1]
    assert receiver.received[2][0]["Wechatpay-Nonce"] == receiver.received[1][0]["Wechatpay-Nonce"]
    for forged in ({"wrong_key": True}, {"signtest": True}):
        await city.control("POST", "/pay/notify", out_trade_no=NUMBER, **forged)
        assert sdk.callback(*receiver.received[-1]) is None
    await city.control("POST", "/pay/notify", out_trade_no=NUMBER, stale_seconds=3600)
    stale = receiver.received[-1][0]
    assert int(stale["Wechatpay-Timestamp"]) < int(honest[0]["Wechatpay-Timestamp"]) - 3500
    assert sdk.callback(*receiver.received[-1]) is not None


async def test_a_lie_about_an_unpaid_order(prepaid: str, receiver: Receiver, city: City, sdk: AsyncWeChatPay):
    assert prepaid
    lie = {"amount_fen": 1, "mchid": "1900000999", "appid": "wxother"}
    await city.control("POST", "/pay/notify", out_trade_no=NUMBER, **lie)
    told = sdk.callback(*receiver.received[0])["resource"]
    assert (told["amount"]["total"], told["mchid"], told["appid"]) == (1, "1900000999", "wxother")
    assert told["trade_state"] == "SUCCESS"
    assert (await city.control("GET", "/pay/orders"))["items"][0]["trade_state"] == "NOTPAY"


async def test_nobody_at_the_other_end(prepaid: str, receiver: Receiver, city: City):
    assert prepaid
    answer = await city.http.post("/_control/pay/notify", json={"out_trade_no": "never-made"})
    assert answer.status_code == 404
