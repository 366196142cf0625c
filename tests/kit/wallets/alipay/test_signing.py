import datetime as dt
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

import pytest
from alipay.aop.api import DefaultAlipayClient
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.domain.AlipayTradeCreateModel import AlipayTradeCreateModel
from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest
from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest
from alipay.aop.api.util.SignatureUtils import verify_with_rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1

from kit.clock import FixedClock
from kit.wallets.alipay.keys import alipay_public_key
from kit.wallets.alipay.signing import AppSigner, sign_content, verify
from tests.kit.wallets.alipay.gateway import APP_ID
from tests.kit.wallets.wechat.party import Party

PUBLISHED_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw9sRmkmKehI9VhEFTeEL/E1DAMLeM2cXTYxaRZmEzkgqcPrQY11OZWTKCBg9qAbRCTjp"
    "EgUwsoopToqzBLOFT/Sx1tLcy1JgQfRkHsE4ssYR5Md78V/JQAh9DgF8GwWY+sd78uFwP/S5ockgQ1gILb23txDqkoJD5RXgdFA60SQ+CAWgNsJ/"
    "YIagVsXvXpimm/Olc8xrIQEmd2HrZpnlmxMEV6m7/er29yFhhrW1hz8SD0xqCsfxpw6k+kzcO2XZAO5D5xVxPx5cz5NdoISjGwqcnmj4BfpJEmGk"
    "UhHdt4+ipIAepcuHdLy4tobcuqeQ36544iUR8IcuLxjZZUncpQIDAQAB"
)
PUBLISHED_CONTENT = (
    "app_id=2021000000000001&buyer_open_id=o1&charset=utf-8&out_trade_no=T20261121-1&subject=测试 A&B=1"
    "&total_amount=1.00&trade_status=TRADE_SUCCESS&version=1.0"
)
PUBLISHED_SIGN = (
    "H3LLZPPWG6Yps/PcJRRqycStT0jdhlJPMVehfqjdgunkr0O/dAzFsTyW62ucCU0OgOX7Ddo0Pv5hTEB2W83FA9anXOeVhbM+gKzQcpYA0f2XRWlb"
    "ZFS2fkKyZZIFPcI8FcaAZ5fB/Qen+1RIi1/Y7zVk9C+2wYWBqMz5Y3OaJmjI/1ITNpyNUA8v59A68oi5nwgWJd2DVeVdWs+fBkxZfhg3WwaqIi4Z"
    "PRHIHJzi9IDKXzyij7+IhjkFpb3Fev5wRl4XHiKPgURT+My99mgx0SDMTQs6nn/Ky8AT3s0HTqGou19lcwb6WW8qq0jr7DvJg13DGlN3u+Ebv6qR"
    "4E25mQ=="
)


def test_the_published_vector() -> None:
    key = alipay_public_key(PUBLISHED_KEY)
    assert verify(key, PUBLISHED_CONTENT.encode(), PUBLISHED_SIGN)
    assert not verify(key, PUBLISHED_CONTENT.encode() + b" ", PUBLISHED_SIGN)


def test_the_content_is_sorted_and_leaves_only_the_signature_out() -> None:
    given = {"b": "2", "sign": "x", "a": "测试 A&B=1", "sign_type": "RSA2", "B": ""}
    assert sign_content(given) == "B=&a=测试 A&B=1&b=2&sign_type=RSA2"


@pytest.mark.parametrize("sign", ["", "=", "not base64!", "签名", "A" * 2000, b64encode(b"x" * 256).decode()])
def test_what_is_no_signature_is_none(alipay: Party, sign: str) -> None:
    assert not verify(alipay.public, b"x", sign)


def test_sha1_is_refused_here_and_accepted_by_the_sdk(alipay: Party) -> None:
    weak = b64encode(alipay.key.sign(b"x", PKCS1v15(), SHA1())).decode()  # noqa: S303 - to be refused
    bare = "".join(alipay.spki.strip().splitlines()[1:-1])
    assert verify_with_rsa(bare, b"x", weak)
    assert not verify(alipay.public, b"x", weak)
    assert verify(alipay.public, b"x", alipay.sign(b"x"))


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Where the server stands."""

    def stand(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield stand
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch, zone: Callable[[str], None], clock: FixedClock) -> None:
    """The SDK's own clock stands where ours does, on a server in China as its authors have them."""

    class Frozen(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Frozen":
            return cls.fromtimestamp(clock.now().timestamp(), tz)

    monkeypatch.setattr(DefaultAlipayClient.datetime, "datetime", Frozen)
    zone("Asia/Shanghai")


def their_client(
    app: Party, alipay: Party, url: str = "https://openapi.alipay.com/gateway.do"
) -> DefaultAlipayClient.DefaultAlipayClient:
    config = AlipayClientConfig()
    config.server_url, config.app_id = url, APP_ID
    config.app_private_key = "".join(app.pkcs1.strip().splitlines()[1:-1])
    config.alipay_public_key = "".join(alipay.spki.strip().splitlines()[1:-1])
    return DefaultAlipayClient.DefaultAlipayClient(config)


def _create() -> AlipayTradeCreateRequest:
    model = AlipayTradeCreateModel()
    model.out_trade_no, model.total_amount, model.subject = "T1", "88.88", '登记费 "一" & 二 + %'
    model.product_code, model.op_app_id, model.buyer_open_id = "JSAPI_PAY", APP_ID, "o1"
    request = AlipayTradeCreateRequest(biz_model=model)
    request.notify_url = "https://city.example/callbacks/alipay"
    return request


def _oauth() -> AlipaySystemOauthTokenRequest:
    request = AlipaySystemOauthTokenRequest()
    request.grant_type, request.code = "authorization_code", "c0de"
    return request


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("make", [_create, _oauth])
def test_we_sign_what_the_sdk_signs(app: Party, alipay: Party, signer: AppSigner, make: type) -> None:
    theirs = dict(parse_qsl(their_client(app, alipay).sdk_execute(make())))
    ours = signer.signed(make().get_params())
    assert ours == theirs
    assert ours["timestamp"] == "2026-11-22 00:30:05"


def test_the_time_is_beijings_wherever_the_server_stands_unlike_the_sdks(
    app: Party, alipay: Party, signer: AppSigner, zone: Callable[[str], None]
) -> None:
    zone("UTC")
    theirs = dict(parse_qsl(their_client(app, alipay).sdk_execute(_create())))
    stamp = dt.datetime.strptime(theirs["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - stamp) < dt.timedelta(minutes=1)  # eight hours off
    assert signer.signed(_create().get_params())["timestamp"] == "2026-11-22 00:30:05"
