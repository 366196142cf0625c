import json
import re
from datetime import UTC, datetime

import pytest
from wechatpayv3.utils import build_authorization, rsa_verify

from kit.clock import FixedClock
from kit.wallets.wechat.pay.keys import PlatformKeys, platform_keys
from kit.wallets.wechat.pay.signing import MerchantSigner, UnverifiedError, request_message, verify
from tests.kit.wallets.wechat.party import Party

VECTOR_KEY = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw9sRmkmKehI9VhEFTeEL/E1DAMLeM2cXTYxaRZmEzkgqcPrQY11OZWTKCBg9qAbR"
    "CTjpEgUwsoopToqzBLOFT/Sx1tLcy1JgQfRkHsE4ssYR5Md78V/JQAh9DgF8GwWY+sd78uFwP/S5ockgQ1gILb23txDqkoJD5RXgdFA60SQ+"
    "CAWgNsJ/YIagVsXvXpimm/Olc8xrIQEmd2HrZpnlmxMEV6m7/er29yFhhrW1hz8SD0xqCsfxpw6k+kzcO2XZAO5D5xVxPx5cz5NdoISjGwqc"
    "nmj4BfpJEmGkUhHdt4+ipIAepcuHdLy4tobcuqeQ36544iUR8IcuLxjZZUncpQIDAQAB\n"
    "-----END PUBLIC KEY-----\n"
)
VECTOR_BODY = b'{"prepay_id":"wx2922034726858082fbd40b511c67630000"}'
VECTOR_HEADERS = {
    "Wechatpay-Serial": "PUB_KEY_ID_V",
    "Wechatpay-Timestamp": "1554209980",
    "Wechatpay-Nonce": "c5ac7061fccab6bf3e254dcf98995b8c",
    "Wechatpay-Signature": (
        "En5mM3n+AMZGHwGPoar8D5A13mZd5Rjnr18P/vIhSFkM8W5xqmW3aaFPSLQfL/N8a2CYLIHr3wR7XFKBBgB9iBTVP5qOisBDRHJteLAF0Z2l"
        "9WGYZeB8jPZ93gJ1hof4c4IgJa7Z8PCgfF3CCGcGf+0oPWPGkcGBagcmIu7gexpN6NMWLVUJ1Fc8uVJNatkBO0xACK8EkndmiiHLYNdKlLnz"
        "M7viZPqzh6ot1gbUiNs9rKGzk1O5MCydg+KE81wlTd9q8cIIxkCSMhaKIhxQF5SJ+JOq6yRoWGq2eb3Dr3IvzM3qt16r2W9cIsoj/1Lqk9N0"
        "L1wJVqV1d6+Rx8GlLA=="
    ),
}
VECTOR_CLOCK = FixedClock(datetime.fromtimestamp(1554209980, UTC))
VECTOR_KEYS = platform_keys({"PUB_KEY_ID_V": VECTOR_KEY})


def test_verifies_the_vector() -> None:
    verify(VECTOR_KEYS, VECTOR_HEADERS, VECTOR_BODY, VECTOR_CLOCK)
    verify(VECTOR_KEYS, {k.lower(): v for k, v in VECTOR_HEADERS.items()}, VECTOR_BODY, VECTOR_CLOCK)


def test_an_answer_without_content_is_signed_over_an_empty_line(platform: Party) -> None:
    headers = {
        **VECTOR_HEADERS,
        "Wechatpay-Signature": platform.sign(b"1554209980\nc5ac7061fccab6bf3e254dcf98995b8c\n\n"),
    }
    keys = platform_keys({"PUB_KEY_ID_V": platform.spki})
    verify(keys, headers, b"", VECTOR_CLOCK)
    with pytest.raises(UnverifiedError, match="bad_signature"):
        verify(keys, headers, b"{}", VECTOR_CLOCK)
    with pytest.raises(UnverifiedError, match="bad_signature"):
        verify(VECTOR_KEYS, VECTOR_HEADERS, b"", VECTOR_CLOCK)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Wechatpay-Serial": ""}, "missing_header"),
        ({"Wechatpay-Nonce": ""}, "missing_header"),
        ({"Wechatpay-Timestamp": ""}, "missing_header"),
        ({"Wechatpay-Signature": ""}, "missing_header"),
        ({"Wechatpay-Signature": "A" * 1025}, "missing_header"),
        ({"Wechatpay-Serial": "PUB_KEY_ID_W"}, "unknown_serial"),
        ({"Wechatpay-Serial": "444F4864EA9B3441"}, "unknown_serial"),
        ({"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}, "wrong_scheme"),
        ({"Wechatpay-Timestamp": "1554209679"}, "stale"),
        ({"Wechatpay-Timestamp": "1554210281"}, "stale"),
        ({"Wechatpay-Timestamp": "-1554209980"}, "stale"),
        ({"Wechatpay-Timestamp": "1.5e9"}, "stale"),
        ({"Wechatpay-Timestamp": "١٥٥٤٢٠٩٩٨٠"}, "stale"),
        ({"Wechatpay-Timestamp": "9" * 400}, "stale"),
        ({"Wechatpay-Timestamp": "1554209680"}, "bad_signature"),
        ({"Wechatpay-Nonce": "c5ac7061fccab6bf3e254dcf98995b8d"}, "bad_signature"),
        ({"Wechatpay-Nonce": "\ud800"}, "bad_signature"),
        ({"Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + VECTOR_HEADERS["Wechatpay-Signature"]}, "bad_signature"),
        ({"Wechatpay-Signature": "签名"}, "bad_signature"),
        ({"Wechatpay-Signature": "A"}, "bad_signature"),
    ],
)
def test_refuses(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(UnverifiedError) as caught:
        verify(VECTOR_KEYS, {**VECTOR_HEADERS, **changed}, VECTOR_BODY, VECTOR_CLOCK)
    assert caught.value.reason == reason


@pytest.mark.parametrize("body", [VECTOR_BODY + b" ", VECTOR_BODY[:-1], b"\xff\xfe"])
def test_refuses_another_body(body: bytes) -> None:
    with pytest.raises(UnverifiedError, match="bad_signature"):
        verify(VECTOR_KEYS, VECTOR_HEADERS, body, VECTOR_CLOCK)


@pytest.mark.parametrize("name", list(VECTOR_HEADERS))
def test_refuses_a_missing_header(name: str) -> None:
    headers = {key: value for key, value in VECTOR_HEADERS.items() if key != name}
    with pytest.raises(UnverifiedError, match="missing_header"):
        verify(VECTOR_KEYS, headers, VECTOR_BODY, VECTOR_CLOCK)


@pytest.mark.parametrize(("seconds", "fresh"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_the_window_is_five_minutes_either_way(
    platform: Party, clock: FixedClock, seconds: int, *, fresh: bool
) -> None:
    keys: PlatformKeys = {"K": platform.public}
    headers = platform.headers(b"{}", at=int(clock.now().timestamp()) + seconds, serial="K")
    if fresh:
        verify(keys, headers, b"{}", clock)
    else:
        with pytest.raises(UnverifiedError, match="stale"):
            verify(keys, headers, b"{}", clock)


def test_each_serial_has_its_own_key(merchant: Party, platform: Party, clock: FixedClock) -> None:
    keys: PlatformKeys = {"OLD": merchant.public, "NEW": platform.public}
    at = int(clock.now().timestamp())
    verify(keys, merchant.headers(b"{}", at=at, serial="OLD"), b"{}", clock)
    verify(keys, platform.headers(b"{}", at=at, serial="NEW"), b"{}", clock)
    with pytest.raises(UnverifiedError, match="bad_signature"):
        verify(keys, merchant.headers(b"{}", at=at, serial="NEW"), b"{}", clock)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/v3/pay/transactions/jsapi", {"description": "登记费"}), ("GET", "/v3/x?mchid=1900000001", None)],
)
def test_authorization_is_the_one_the_library_builds(merchant: Party, method: str, path: str, body: object) -> None:
    theirs = build_authorization(path, method, "1900000001", "5157F09E", merchant.key, data=body, nonce_str="N0NCE")
    moment = re.search(r'timestamp="(\d+)"', theirs)
    assert moment is not None
    clock = FixedClock(datetime.fromtimestamp(int(moment[1]), UTC))
    ours = MerchantSigner("1900000001", "5157F09E", merchant.key, clock, nonce=lambda: "N0NCE")
    assert ours.authorization(method, path, json.dumps(body) if body else "") == theirs


def test_what_a_request_signature_covers() -> None:
    assert request_message("GET", "/v3/x?a=1", "1554209980", "N", "") == "GET\n/v3/x?a=1\n1554209980\nN\n\n"


def test_client_params(merchant: Party, clock: FixedClock) -> None:
    signer = MerchantSigner("1900000001", "5157F09E", merchant.key, clock)
    params = signer.client_params("wx1", "wx2922034726858082")
    assert set(params) == {"timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (params["timeStamp"], params["signType"]) == ("1795233600", "RSA")
    assert params["package"] == "prepay_id=wx2922034726858082"
    # the library's check joins three lines: ours are the app's id and the time, the nonce, and the package
    assert rsa_verify("wx1\n1795233600", params["nonceStr"], params["package"], params["paySign"], merchant.public)
    assert signer.client_params("wx1", "wx2922034726858082")["nonceStr"] != params["nonceStr"]
