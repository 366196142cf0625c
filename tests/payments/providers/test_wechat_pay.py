"""The real provider against answers signed by a platform key of the test's own."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.wallets.wechat.pay.callback import PayNotices
from kit.wallets.wechat.pay.client import PayTransport
from kit.wallets.wechat.pay.signing import MerchantSigner
from payments.errors import NoticeRefused
from payments.ports import NewOrder, UnreadableReport
from payments.providers.wechat_pay import WechatPay, WechatPayNotices
from payments.rules import TradeState
from tests.kit.wallets.wechat.party import Party
from tests.support.moments import NOON

SERIAL = "PUB_KEY_ID_0001"
APIV3_KEY = "0123456789abcdef0123456789abcdef"
NUMBER = "01a1fff9a1927d0f9adf6b2ab2ff10d2"
ORDER = NewOrder(NUMBER, 8000, "不动产登记费", "oPayer", NOON + timedelta(hours=1))
PAID = {
    "appid": "wxapp",
    "mchid": "1900000109",
    "out_trade_no": NUMBER,
    "transaction_id": "4200000001",
    "trade_state": "SUCCESS",
    "success_time": "2026-03-16T12:00:01+08:00",
    "amount": {"total": 8000, "currency": "CNY", "payer_total": 8000},
}
PLATFORM, MERCHANT = Party(), Party()
CLOCK = FixedClock(NOON)
AT = int(NOON.timestamp())


class Desk:
    """WeChat Pay's end: answers what it is told, signed, and remembers what it was asked."""

    def __init__(self, status: int, answer: dict[str, Any] | None) -> None:
        self.status, self.answer = status, answer
        self.asked: list[httpx.Request] = []

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        self.asked.append(httpx.Request(method, url, **options))
        body = b"" if self.answer is None else orjson.dumps(self.answer)
        return httpx.Response(self.status, content=body, headers=PLATFORM.headers(body, at=AT, serial=SERIAL))


def wallet(status: int = 200, answer: dict[str, Any] | None = None) -> tuple[WechatPay, Desk]:
    desk = Desk(status, answer)
    signer = MerchantSigner("1900000109", "SERIAL", MERCHANT.key, CLOCK)
    keys = {SERIAL: PLATFORM.public}
    transport = PayTransport(desk, "https://pay.example", signer=signer, keys=keys, key_id=SERIAL, clock=CLOCK)
    return WechatPay(transport, signer, app_id="wxapp", notify_url="https://city.example/callbacks/wechat_pay"), desk


async def test_an_order_is_placed_as_the_platform_wants_it() -> None:
    pay, desk = wallet(answer={"prepay_id": "wx123"})
    params = await pay.prepare(ORDER)

    assert json.loads(desk.asked[0].content) == {
        "appid": "wxapp",
        "mchid": "1900000109",
        "description": "不动产登记费",
        "out_trade_no": NUMBER,
        "time_expire": "2026-03-16T13:00:00+08:00",
        "notify_url": "https://city.example/callbacks/wechat_pay",
        "amount": {"total": 8000, "currency": "CNY"},
        "payer": {"openid": "oPayer"},
    }
    assert desk.asked[0].url.path == "/v3/pay/transactions/jsapi"
    assert set(params) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (params["appId"], params["package"], params["signType"]) == ("wxapp", "prepay_id=wx123", "RSA")


async def test_an_answer_without_a_prepay_id_may_be_asked_again() -> None:
    pay, _ = wallet(answer={})
    with pytest.raises(OutsideError, match="BAD_ANSWER") as caught:
        await pay.prepare(ORDER)
    assert not caught.value.permanent


async def test_a_paid_order_is_reported_in_our_words() -> None:
    pay, desk = wallet(answer=PAID)
    report = await pay.query(NUMBER)
    assert report is not None
    assert (report.trade_state, report.amount_fen, report.currency) == (TradeState.PAID, 8000, "CNY")
    assert (report.merchant_id, report.app_id, report.transaction_id) == ("1900000109", "wxapp", "4200000001")
    assert report.paid_at == datetime(2026, 3, 16, 4, 0, 1, tzinfo=UTC)
    assert str(desk.asked[0].url).endswith(f"/out-trade-no/{NUMBER}?mchid=1900000109")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("NOTPAY", TradeState.UNPAID),
        ("CLOSED", TradeState.CLOSED),
        ("REFUND", TradeState.REFUNDED),
        ("A_NEW_WORD", TradeState.OTHER),
    ],
)
async def test_states_are_translated(word: str, state: TradeState) -> None:
    unpaid = {name: value for name, value in PAID.items() if name not in {"transaction_id", "success_time", "amount"}}
    pay, _ = wallet(answer={**unpaid, "trade_state": word})
    report = await pay.query(NUMBER)
    assert report is not None
    assert (report.trade_state, report.amount_fen, report.paid_at) == (state, None, None)


async def test_an_order_the_platform_never_heard_of_is_none() -> None:
    assert await wallet(404, {"code": "ORDER_NOT_EXIST", "message": ""})[0].query(NUMBER) is None
    assert await wallet(404, {"code": "RESOURCE_NOT_EXISTS", "message": ""})[0].query(NUMBER) is None


@pytest.mark.parametrize(
    "change",
    [
        {"out_trade_no": None},
        {"mchid": ""},
        {"trade_state": 3},
        {"transaction_id": "x" * 65},
        {"success_time": "yesterday"},
        {"success_time": "2026-03-16T12:00:01"},
    ],
)
async def test_an_answer_we_cannot_read_is_asked_again(change: dict[str, Any]) -> None:
    with pytest.raises(OutsideError, match="BAD_ANSWER") as caught:
        await wallet(answer={**PAID, **change})[0].query(NUMBER)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("status", "code", "closed"),
    [
        (204, None, True),
        (400, "ORDER_CLOSED", True),
        (404, "ORDERNOTEXIST", True),
        (400, "ORDER_PAID", False),
        (400, "INVALID_REQUEST", False),
    ],
)
async def test_closing_says_whether_it_can_be_paid_no_more(status: int, code: str | None, *, closed: bool) -> None:
    pay, desk = wallet(status, {"code": code, "message": ""} if code else None)
    assert await pay.close(NUMBER) is closed
    assert json.loads(desk.asked[0].content) == {"mchid": "1900000109"}


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [(403, "NO_AUTH", True), (401, "SIGN_ERROR", False), (500, "SYSTEM_ERROR", False), (502, "", False)],
)
@pytest.mark.parametrize(
    "call",
    [lambda pay: pay.prepare(ORDER), lambda pay: pay.query(NUMBER), lambda pay: pay.close(NUMBER)],
    ids=["prepare", "query", "close"],
)
async def test_every_other_refusal_is_an_outside_error(
    status: int, code: str, call: Callable[[WechatPay], Any], *, permanent: bool
) -> None:
    with pytest.raises(OutsideError) as caught:
        await call(wallet(status, {"code": code, "message": "x"})[0])
    assert caught.value.permanent is permanent


def notice(resource: Any = PAID, *, key: str = APIV3_KEY, number: str = "EV-1") -> bytes:
    sealed = AESGCM(key.encode()).encrypt(b"fdasflkja484", orjson.dumps(resource), b"transaction")
    return orjson.dumps(
        {
            "id": number,
            "event_type": "TRANSACTION.SUCCESS",
            "resource_type": "encrypt-resource",
            "resource": {
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": base64.b64encode(sealed).decode(),
                "associated_data": "transaction",
                "nonce": "fdasflkja484",
            },
        }
    )


def notices() -> WechatPayNotices:
    return WechatPayNotices(PayNotices({SERIAL: PLATFORM.public}, APIV3_KEY, CLOCK))


def test_a_genuine_notice_says_what_was_paid() -> None:
    raw = notice()
    opened = notices().open(PLATFORM.headers(raw, at=AT, serial=SERIAL), raw)
    assert (opened.id, opened.out_trade_no) == ("EV-1", NUMBER)
    report = notices().read(opened.body)
    assert (report.trade_state, report.amount_fen, report.out_trade_no) == (TradeState.PAID, 8000, NUMBER)


@pytest.mark.parametrize(
    ("headers", "raw"),
    [
        (MERCHANT.headers(notice(), at=AT, serial=SERIAL), notice()),
        (PLATFORM.headers(notice(), at=AT - 301, serial=SERIAL), notice()),
        (PLATFORM.headers(notice(), at=AT, serial="another"), notice()),
        (PLATFORM.headers(notice(), at=AT, serial=SERIAL), notice() + b" "),
        ({}, notice()),
    ],
    ids=["forged", "stale", "unknown serial", "changed", "unsigned"],
)
def test_what_is_not_proven_is_refused(headers: dict[str, str], raw: bytes) -> None:
    with pytest.raises(NoticeRefused):
        notices().open(headers, raw)


def test_a_notice_about_something_else_is_kept_for_staff() -> None:
    raw = notice({"refund_status": "SUCCESS"})
    opened = notices().open(PLATFORM.headers(raw, at=AT, serial=SERIAL), raw)
    assert opened.out_trade_no == ""
    with pytest.raises(UnreadableReport):
        notices().read(opened.body)
    with pytest.raises(UnreadableReport):
        notices().read(b"[]")


def test_the_end_of_an_order_is_written_for_the_platform() -> None:
    later = replace(ORDER, expires_at=datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert wallet()[0]._asked(later)["time_expire"] == "2027-01-01T00:00:00+08:00"
