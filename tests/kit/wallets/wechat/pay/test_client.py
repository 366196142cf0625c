import json
import re
from collections.abc import Callable, Mapping

import httpx
import pytest
from wechatpayv3.utils import rsa_verify

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.wallets.errors import KeyProblemError
from kit.wallets.wechat.pay.client import PayTransport, checked_number
from kit.wallets.wechat.pay.signing import MerchantSigner
from tests.kit.wallets.wechat.party import Party

SERIAL = "PUB_KEY_ID_1"
Make = Callable[[Callable[..., object]], httpx.AsyncClient]


class Gateway:
    """The platform's side: checks the merchant's signature over what came over the wire, signs its answer."""

    def __init__(self, merchant: Party, platform: Party, clock: FixedClock) -> None:
        self.merchant, self.platform, self.clock = merchant, platform, clock
        self.status, self.body = 200, b'{"prepay_id":"wx1"}'
        self.headers: Mapping[str, str] | None = None
        self.failing: Exception | None = None
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.failing:
            raise self.failing
        scheme, _, rest = request.headers["Authorization"].partition(" ")
        given = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        first = f"{request.method}\n{request.url.raw_path.decode()}\n{given['timestamp']}"
        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        assert (given["mchid"], given["serial_no"]) == ("1900000001", "5157F09E")
        if not rsa_verify(
            first, given["nonce_str"], request.content.decode(), given["signature"], self.merchant.public
        ):
            return httpx.Response(401, json={"code": "SIGN_ERROR", "message": "错误的签名"})
        at = int(self.clock.now().timestamp())
        signed = self.platform.headers(self.body, at=at, serial=SERIAL)
        return httpx.Response(
            self.status, content=self.body, headers=self.headers if self.headers is not None else signed
        )


@pytest.fixture
def gateway(merchant: Party, platform: Party, clock: FixedClock) -> Gateway:
    return Gateway(merchant, platform, clock)


def transport(gateway: Gateway, http: httpx.AsyncClient, base: str) -> PayTransport:
    signer = MerchantSigner("1900000001", "5157F09E", gateway.merchant.key, gateway.clock)
    keys = {SERIAL: gateway.platform.public}
    return PayTransport(http, base, signer=signer, keys=keys, key_id=SERIAL, clock=gateway.clock)


@pytest.fixture
def pay(gateway: Gateway, client: Make) -> PayTransport:
    return transport(gateway, client(gateway), "http://127.0.0.1:9/")


async def test_posts_signed_and_reads_verified(pay: PayTransport, gateway: Gateway) -> None:
    assert await pay.post("/v3/pay/transactions/jsapi", {"description": "登记费"}) == (200, {"prepay_id": "wx1"})
    request = gateway.requests[0]
    assert json.loads(request.content) == {"description": "登记费"}
    assert str(request.url) == "http://127.0.0.1:9/v3/pay/transactions/jsapi"
    assert request.headers["Wechatpay-Serial"] == SERIAL
    assert request.headers["Content-Type"] == request.headers["Accept"] == "application/json"
    assert request.headers["User-Agent"] == "yichuang"


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "https://proxy.city.example/wechat-pay"])
@pytest.mark.parametrize("params", [{"mchid": "1900000001"}, {"a": "登记 费|&=+%/?:~*'\"", "b": ""}, {}])
async def test_the_signed_path_is_the_one_on_the_wire(
    gateway: Gateway, client: Make, base: str, params: dict[str, str]
) -> None:
    pay = transport(gateway, client(gateway), base)
    assert await pay.get("/v3/pay/transactions/out-trade-no/T20261121_1", params=params) == (200, {"prepay_id": "wx1"})
    assert dict(gateway.requests[0].url.params) == params


async def test_an_answer_without_content(pay: PayTransport, gateway: Gateway) -> None:
    gateway.status, gateway.body = 204, b""
    assert await pay.post("/v3/pay/transactions/out-trade-no/T20261121_1/close", {"mchid": "1"}) == (204, {})


async def expect(pay: PayTransport, code: str, *, permanent: bool) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        await pay.post("/v3/x", {})
    error = caught.value
    assert (error.system, error.code, error.permanent) == ("wechat_pay", code, permanent)
    return error


async def test_answers_that_are_not_proven_to_be_the_platforms(
    pay: PayTransport, gateway: Gateway, merchant: Party, platform: Party, clock: FixedClock
) -> None:
    at, body = int(clock.now().timestamp()), gateway.body
    for headers, why in (
        ({}, "missing_header"),
        (merchant.headers(body, at=at, serial=SERIAL), "bad_signature"),
        (platform.headers(body + b" ", at=at, serial=SERIAL), "bad_signature"),
        (platform.headers(body, at=at - 301, serial=SERIAL), "stale"),
        (platform.headers(body, at=at, serial="PUB_KEY_ID_2"), "unknown_serial"),
    ):
        gateway.headers = headers
        assert why in (await expect(pay, "BAD_SIGNATURE", permanent=False)).message
    assert len(gateway.requests) == 5  # nothing else was asked for, certificates least of all


async def test_an_answer_without_content_must_be_signed_too(pay: PayTransport, gateway: Gateway) -> None:
    gateway.status, gateway.body, gateway.headers = 204, b"", {}
    await expect(pay, "BAD_SIGNATURE", permanent=False)


async def test_a_signed_answer_that_is_no_json(pay: PayTransport, gateway: Gateway) -> None:
    gateway.body = b"<html>"
    await expect(pay, "BAD_ANSWER", permanent=False)


async def test_refusals_and_silence(pay: PayTransport, gateway: Gateway) -> None:
    gateway.status, gateway.body = 404, b'{"code":"ORDERNOTEXIST","message":"\xe6\x97\xa0"}'
    await expect(pay, "ORDER_NOT_EXIST", permanent=True)
    gateway.status, gateway.body = 502, b"<html>"
    await expect(pay, "HTTP_502", permanent=False)
    gateway.failing = httpx.ReadTimeout("x")
    await expect(pay, "TIMEOUT", permanent=False)
    gateway.failing = httpx.ConnectError("x")
    await expect(pay, "UNREACHABLE", permanent=False)


@pytest.mark.parametrize(
    "path", ["", "/", "/v2/x", "v3/x", "/v3/", "/v3/a|b", "/v3/a%7Cb", "/v3/../x", "/v3/x?y=1", "/v3/x\n", "/v3/号"]
)
async def test_paths_that_might_be_sent_otherwise_than_signed(pay: PayTransport, gateway: Gateway, path: str) -> None:
    with pytest.raises(ValueError, match="cannot be signed"):
        await pay.get(path)
    assert gateway.requests == []


@pytest.mark.parametrize("text", ["T20261121_1", "0" * 32, "a" * 6])
def test_good_numbers(text: str) -> None:
    assert checked_number(text) == text


@pytest.mark.parametrize(
    "text", ["", "short", "0" * 33, "T20261121-1", "a|bcdef", "abcdef\n", "号码号码号码", "١٢٣٤٥٦"]
)
def test_bad_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="6 to 32"):
        checked_number(text)


def test_wrong_settings_are_told_at_start(gateway: Gateway, client: Make) -> None:
    http = client(gateway)
    with pytest.raises(ValueError, match="https"):
        transport(gateway, http, "http://api.mch.weixin.qq.com")
    signer = MerchantSigner("1", "2", gateway.merchant.key, gateway.clock)
    with pytest.raises(KeyProblemError, match="not among"):
        PayTransport(
            http,
            "https://api.mch.weixin.qq.com",
            signer=signer,
            keys={"OTHER": gateway.platform.public},
            key_id=SERIAL,
            clock=gateway.clock,
        )
