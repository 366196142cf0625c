"""`wechatpay-axios-plugin` agrees with our signatures, and we with its notices."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kit.clock import FixedClock
from kit.wallets.errors import BadNotice
from kit.wallets.wechat.pay.callback import PayNotices
from kit.wallets.wechat.pay.keys import merchant_key, platform_keys
from kit.wallets.wechat.pay.resource import open_resource
from kit.wallets.wechat.pay.signing import MerchantSigner
from sandbox import credentials
from sandbox.server import served
from sandbox.signing import gcm_encrypt
from tests.independent.conftest import Judge
from tests.kit.wallets.wechat.party import Party

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SECONDS = str(int(NOW.timestamp()))
KEY_ID = "PUB_KEY_ID_0114232134912410000000000000"
APIV3_KEY = "0123456789abcdef0123456789abcdef"
APP_ID = "wx8888888888888888"


@pytest.fixture
def signer(merchant: Party) -> MerchantSigner:
    return MerchantSigner("1900000109", "ABCDEF", merchant_key(merchant.pkcs8), FixedClock(NOW))


@pytest.fixture
def notices(platform: Party) -> PayNotices:
    return PayNotices(platform_keys({KEY_ID: platform.spki}), APIV3_KEY, FixedClock(NOW))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v3/pay/transactions/jsapi", '{"description":"不动产登记费","amount":{"total":8000}}'),
        ("GET", "/v3/pay/transactions/out-trade-no/T20261121_1?mchid=1900000109", ""),
    ],
)
def test_our_requests_are_accepted(
    judge: Judge, signer: MerchantSigner, merchant: Party, method: str, path: str, body: str
):
    header = signer.authorization(method, path, body)
    parts = dict(part.split("=", 1) for part in header.split(" ", 1)[1].split(","))
    said = {name: value.strip('"') for name, value in parts.items()}
    asked: dict[str, Any] = {
        "method": method,
        "path": path,
        "timestamp": said["timestamp"],
        "nonce": said["nonce_str"],
        "body": body,
        "signature": said["signature"],
        "merchantPublicKey": merchant.spki,
    }
    assert judge("wechat.request", **asked) is True
    assert judge("wechat.request", **{**asked, "body": body + " "}) is False


def test_what_the_phone_is_given_is_accepted(judge: Judge, signer: MerchantSigner, merchant: Party):
    params = signer.client_params(APP_ID, "wx2922034726858082fbd40b511c67630000")
    assert judge("wechat.client_params", appId=APP_ID, params=params, merchantPublicKey=merchant.spki) is True
    other = {**params, "package": params["package"] + "1"}
    assert judge("wechat.client_params", appId=APP_ID, params=other, merchantPublicKey=merchant.spki) is False


def _notice(judge: Judge, platform: Party, **resource: Any) -> tuple[dict[str, str], bytes]:
    made = judge(
        "wechat.notice",
        notice={
            "id": "EV-2026112112",
            "create_time": "2026-11-21T12:00:00+08:00",
            "event_type": "TRANSACTION.SUCCESS",
            "resource_type": "encrypt-resource",
            "summary": "支付成功",
        },
        resource=resource,
        nonce="fdasflkja484",
        timestamp=SECONDS,
        headerNonce="c5ac7061fccab6bf",
        apiv3Key=APIV3_KEY,
        platformKey=platform.pkcs8,
    )
    headers = {
        "Wechatpay-Serial": KEY_ID,
        "Wechatpay-Signature": made["signature"],
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        "Wechatpay-Timestamp": SECONDS,
        "Wechatpay-Nonce": "c5ac7061fccab6bf",
    }
    return headers, made["body"].encode()


def test_its_notices_are_accepted(judge: Judge, notices: PayNotices, platform: Party):
    headers, body = _notice(judge, platform, out_trade_no="T20261121_1", attach="测试 A&B=1")
    assert notices.open(headers, body)["resource"] == {"out_trade_no": "T20261121_1", "attach": "测试 A&B=1"}


def test_its_notice_with_one_byte_changed_is_not(judge: Judge, notices: PayNotices, platform: Party):
    headers, body = _notice(judge, platform, out_trade_no="T20261121_1")
    with pytest.raises(BadNotice, match="bad_signature"):
        notices.open(headers, body.replace(b"EV-2026112112", b"EV-2026112113"))


async def test_it_can_speak_with_the_sandbox(judge: Judge, tmp_path: Path):
    """Requests signed there are verified here, and answers signed here are verified there."""
    credentials.init(tmp_path)
    ids = credentials.load(tmp_path)
    city = tmp_path / "credentials"
    async with served(tmp_path) as running:
        config = {
            "mchid": ids.mchid,
            "serial": ids.merchant_serial,
            "merchantKey": (city / "merchant_key.pem").read_text(),
            "platformKeyId": ids.wechatpay_public_key_id,
            "platformPublicKey": (city / "wechatpay_public_key.pem").read_text(),
            "gateway": running.url + "/",
        }
        order = {
            "appid": ids.app_id,
            "mchid": ids.mchid,
            "description": "不动产登记费",
            "out_trade_no": "T20261121_1",
            "notify_url": f"{running.url}/nowhere",
            "amount": {"total": 8000, "currency": "CNY"},
            "payer": {"openid": running.world.people.all()[0].openid},
        }
        placed = await asyncio.to_thread(
            judge, "wechat.call", config=config, path="v3/pay/transactions/jsapi", method="post", data=order
        )
        assert placed["data"]["prepay_id"].startswith("wx")
        found = await asyncio.to_thread(
            judge,
            "wechat.call",
            config=config,
            path="v3/pay/transactions/out-trade-no/T20261121_1",
            method="get",
            params={"mchid": ids.mchid},
        )
        assert (found["data"]["trade_state"], found["data"]["amount"]["total"]) == ("NOTPAY", 8000)
        stranger = {**config, "platformPublicKey": Party().spki}
        with pytest.raises(RuntimeError):
            await asyncio.to_thread(
                judge,
                "wechat.call",
                config=stranger,
                path="v3/pay/transactions/out-trade-no/T20261121_1",
                method="get",
                params={"mchid": ids.mchid},
            )


def test_resources_open_on_both_sides(judge: Judge):
    sealed = gcm_encrypt(
        APIV3_KEY.encode(), nonce="fdasflkja484", associated_data="refund", plaintext=b'{"a":"\xe5\xbc\xa0"}'
    )
    text = judge(
        "wechat.gcm_open", ciphertext=sealed, nonce="fdasflkja484", associatedData="refund", apiv3Key=APIV3_KEY
    )
    assert text == '{"a":"张"}'
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": sealed,
        "nonce": "fdasflkja484",
        "associated_data": "refund",
    }
    assert open_resource(resource, APIV3_KEY) == {"a": "张"}
