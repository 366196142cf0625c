import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import FixedClock
from kit.wallets.errors import BadNotice, KeyProblemError
from kit.wallets.wechat.pay.callback import PayNotices
from tests.kit.wallets.wechat.party import Party

KEY = "0123456789abcdef0123456789abcdef"
SERIAL = "PUB_KEY_ID_1"
PAID = {"out_trade_no": "T20261121_1", "trade_state": "SUCCESS", "amount": {"total": 8000}}


def sealed(plain: object, **changed: object) -> dict[str, object]:
    raw = json.dumps(plain, ensure_ascii=False).encode()
    sealed_bytes = AESGCM(KEY.encode()).encrypt(b"fdasflkja484", raw, b"transaction")
    return {
        "original_type": "transaction",
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed_bytes).decode(),
        "associated_data": "transaction",
        "nonce": "fdasflkja484",
        **changed,
    }


def notice(**changed: object) -> dict[str, Any]:
    return {
        "id": "EV-1",
        "create_time": "2026-11-21T12:00:00+08:00",
        "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource",
        "summary": "支付成功",
        "resource": sealed(PAID),
        **changed,
    }


@pytest.fixture
def notices(platform: Party, clock: FixedClock) -> PayNotices:
    return PayNotices({SERIAL: platform.public}, KEY, clock)


@pytest.fixture
def at(clock: FixedClock) -> int:
    return int(clock.now().timestamp())


def test_opens_a_genuine_notice(notices: PayNotices, platform: Party, at: int) -> None:
    body = json.dumps(notice(), ensure_ascii=False, indent=2).encode()
    opened = notices.open(platform.headers(body, at=at, serial=SERIAL), body)
    assert opened == notice(resource=PAID)


def reason(notices: PayNotices, headers: dict[str, str], body: bytes) -> str:
    with pytest.raises(BadNotice) as caught:
        notices.open(headers, body)
    return caught.value.reason


def test_forged(notices: PayNotices, merchant: Party, at: int) -> None:
    body = json.dumps(notice()).encode()
    assert reason(notices, merchant.headers(body, at=at, serial=SERIAL), body) == "bad_signature"


def test_changed_on_the_way(notices: PayNotices, platform: Party, at: int) -> None:
    body = json.dumps(notice()).encode()
    headers = platform.headers(body, at=at, serial=SERIAL)
    assert reason(notices, headers, body + b"\n") == "bad_signature"


def test_a_probe_with_a_wrong_signature(notices: PayNotices, platform: Party, at: int) -> None:
    body = json.dumps(notice()).encode()
    headers = platform.headers(body, at=at, serial=SERIAL)
    headers["Wechatpay-Signature"] = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"][19:]
    assert reason(notices, headers, body) == "bad_signature"


def test_stale_and_from_the_future(notices: PayNotices, platform: Party, at: int) -> None:
    body = json.dumps(notice()).encode()
    for moment in (at - 301, at + 301, 1_000_000_000):
        assert reason(notices, platform.headers(body, at=moment, serial=SERIAL), body) == "stale"


def test_unknown_serial_comes_before_all_else(notices: PayNotices, merchant: Party) -> None:
    assert reason(notices, merchant.headers(b"?", at=1, serial="PUB_KEY_ID_2"), b"?") == "unknown_serial"


@pytest.mark.parametrize("name", ["Serial", "Signature", "Timestamp", "Nonce"])
def test_missing_header(notices: PayNotices, platform: Party, at: int, name: str) -> None:
    body = json.dumps(notice()).encode()
    headers = platform.headers(body, at=at, serial=SERIAL)
    del headers[f"Wechatpay-{name}"]
    assert reason(notices, headers, body) == "missing_header"


def test_too_large_is_refused_unread(notices: PayNotices, platform: Party, at: int) -> None:
    body = json.dumps(notice(summary="x" * 65_536)).encode()
    assert reason(notices, platform.headers(body, at=at, serial=SERIAL), body) == "too_large"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "unreadable"),
        (b"[]", "unreadable"),
        (b"{}", "unreadable"),
        (b"[" * 60_000, "unreadable"),
        (json.dumps(notice(id="")).encode(), "unreadable"),
        (json.dumps(notice(id=5)).encode(), "unreadable"),
        (json.dumps(notice(event_type=None)).encode(), "unreadable"),
        (json.dumps(notice(resource_type="plain")).encode(), "unreadable"),
        (json.dumps(notice(resource="x")).encode(), "unreadable"),
        (json.dumps(notice(resource={})).encode(), "bad_resource"),
        (json.dumps(notice(resource=sealed(PAID, nonce="fdasflkja485"))).encode(), "bad_resource"),
        (json.dumps(notice(resource=sealed(PAID, associated_data="refund"))).encode(), "bad_resource"),
        (json.dumps(notice(resource=sealed([1]))).encode(), "bad_resource"),
    ],
)
def test_signed_but_of_no_use(notices: PayNotices, platform: Party, at: int, body: bytes, expected: str) -> None:
    assert reason(notices, platform.headers(body, at=at, serial=SERIAL), body) == expected


@given(body=st.binary(max_size=200), values=st.lists(st.text(max_size=40), min_size=5, max_size=5))
def test_never_raises_anything_else(platform: Party, body: bytes, values: list[str]) -> None:
    notices = PayNotices({SERIAL: platform.public}, KEY, FixedClock(datetime(2026, 11, 21, 4, tzinfo=UTC)))
    names = ("Signature", "Timestamp", "Nonce", "Signature-Type", "X")
    headers = {f"Wechatpay-{name}": value for name, value in zip(names, values, strict=True)}
    for sent in (headers, {**headers, "Wechatpay-Serial": SERIAL, "Wechatpay-Timestamp": "1795233600"}):
        with pytest.raises(BadNotice):
            notices.open(sent, body)


def test_a_wrong_key_is_told_at_start(platform: Party, clock: FixedClock) -> None:
    with pytest.raises(KeyProblemError, match="APIv3"):
        PayNotices({SERIAL: platform.public}, "short", clock)
