import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from sandbox.signing import cbc_decrypt, cbc_encrypt
from tests.sandbox.alipay.merchant import GATEWAY, Merchant

QUERY = "alipay.trade.query"
NODE = "alipay_trade_query_response"
BIZ = {"out_trade_no": "T20261121_1"}


async def told(merchant: Merchant, params: dict[str, str]) -> dict[str, Any]:
    """The gateway's error_response, which carries no signature."""
    answer = await merchant.city.http.post(GATEWAY, params=params, data={})
    whole = json.loads(answer.text)
    assert whole.keys() == {"error_response"}
    return dict(whole["error_response"])


@pytest.mark.parametrize(
    ("changes", "code", "sub_code"),
    [
        ({"method": ""}, "40001", "isv.missing-method"),
        ({"app_id": ""}, "40001", "isv.missing-app-id"),
        ({"timestamp": ""}, "40001", "isv.missing-timestamp"),
        ({"version": ""}, "40001", "isv.missing-version"),
        ({"sign_type": ""}, "40001", "isv.missing-signature-type"),
        ({"app_id": "2021999999999999"}, "40002", "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "40002", "isv.invalid-signature-type"),
        ({"version": "2.0"}, "40002", "isv.invalid-parameter"),
        ({"format": "XML"}, "40002", "isv.invalid-format"),
        ({"charset": "latin-1"}, "40002", "isv.invalid-charset"),
        ({"timestamp": "21.11.2026"}, "40002", "isv.invalid-timestamp"),
        ({"timestamp": "2026-01-01 00:00:00"}, "40002", "isv.invalid-timestamp"),
        ({"method": "alipay.trade.unheard.of"}, "40002", "isv.invalid-method"),
        ({"encrypt_type": "DES"}, "40002", "isv.invalid-encrypt-type"),
        ({"encrypt_type": "AES", "biz_content": "{}"}, "40002", "isv.invalid-encrypt"),
        ({"biz_content": "[]"}, "40002", "isv.invalid-parameter"),
    ],
)
async def test_what_the_gateway_turns_away(merchant: Merchant, changes: dict[str, str], code: str, sub_code: str):
    params = merchant.common(QUERY) | {"biz_content": json.dumps(BIZ)} | changes
    refused = await told(merchant, merchant.signed(params))
    assert (refused["code"], refused["sub_code"]) == (code, sub_code)


async def test_a_signature_covers_everything(merchant: Merchant):
    good = merchant.signed(merchant.common(QUERY) | {"biz_content": json.dumps(BIZ)})
    for changes in (
        {"biz_content": '{"out_trade_no": "other"}'},
        {"notify_url": "https://e.example/"},
        {"sign": "AAAA"},
    ):
        assert (await told(merchant, good | changes))["sub_code"] == "isv.invalid-signature"
    assert (await told(merchant, good | {"sign": ""}))["sub_code"] == "isv.missing-signature"
    without_type = {name: value for name, value in good.items() if name not in {"sign", "sign_type"}}
    forged = good | {"sign": merchant.sign(without_type)}
    assert (await told(merchant, forged))["sub_code"] == "isv.invalid-signature"


async def test_an_hour_of_the_wrong_zone_is_noticed(merchant: Merchant):
    utc = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    refused = await told(merchant, merchant.signed(merchant.common(QUERY, timestamp=utc)))
    assert refused["sub_code"] == "isv.invalid-timestamp"


async def test_chinese_survives_both_ways(merchant: Merchant):
    await merchant.create(subject="登记费（测试 A）", body="一 & 二")
    assert (await merchant.query())["subject"] == "登记费（测试 A）"


async def test_the_platforms_own_sdk_gets_an_answer(merchant: Merchant):
    key = load_pem_private_key(merchant.city.secret("alipay_app_key.pem").encode(), password=None)
    old_form = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    config = AlipayClientConfig()
    config.app_id = merchant.city.ids["alipay_app_id"]
    config.app_private_key = "".join(old_form.strip().splitlines()[1:-1])
    config.charset = "utf-8"
    model = AlipayTradeQueryModel()
    model.out_trade_no = "T20261121_1"
    built = DefaultAlipayClient(config).sdk_execute(AlipayTradeQueryRequest(biz_model=model))
    # The SDK takes the machine's own time for Beijing's, so only its signature can be judged here.
    params = dict(httpx.QueryParams(built))
    ours = merchant.signed({name: value for name, value in params.items() if name != "sign"})
    assert params["sign"] == ours["sign"]
    right = params | {"timestamp": merchant.common(QUERY)["timestamp"]}
    del right["sign"]
    answer = await merchant.city.http.get(GATEWAY, params=merchant.signed(right))
    assert json.loads(answer.text)[NODE]["sub_code"] == "ACQ.TRADE_NOT_EXIST"


async def test_encrypted_both_ways(merchant: Merchant):
    await merchant.create()
    key = b64decode(merchant.city.secret("alipay_aes_key"))
    answer = await merchant.raw(QUERY, cbc_encrypt(key, json.dumps(BIZ).encode()), encrypt_type="AES")
    whole = json.loads(answer.text)
    assert merchant.verifies(f'"{whole[NODE]}"', whole["sign"])
    assert not merchant.verifies(whole[NODE], whole["sign"])
    assert json.loads(cbc_decrypt(key, whole[NODE]))["trade_status"] == "WAIT_BUYER_PAY"


async def test_faults(merchant: Merchant, fault: Callable[..., Any]):
    await merchant.create()
    await fault("alipay.trade_query", "status", status=503)
    assert (await merchant.raw(QUERY, BIZ)).status_code == 503
    await fault("alipay.trade_query", "status", status=200, code="aop.ACQ.SYSTEM_ERROR")
    busy = await merchant.query()
    assert (busy["code"], busy["sub_code"]) == ("20000", "aop.ACQ.SYSTEM_ERROR")
    await fault("alipay.trade_query", "status", status=200, code="ACQ.SYSTEM_ERROR")
    assert (await merchant.query())["code"] == "40004"
    await fault("alipay.trade_query", "wrong_signature")
    answer = await merchant.raw(QUERY, BIZ)
    assert not merchant.verifies(merchant.inner(answer.text, NODE), json.loads(answer.text)["sign"])
    await fault("alipay.trade_query", "delay", seconds=0.2)
    started = datetime.now(UTC)
    assert (await merchant.query())["code"] == "10000"
    assert datetime.now(UTC) - started >= timedelta(seconds=0.2)


async def test_an_answer_is_lost_after_the_work(merchant: Merchant, fault: Callable[..., Any]):
    await fault("alipay.trade_create", "drop", after=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await merchant.create()
    assert (await merchant.query())["trade_status"] == "WAIT_BUYER_PAY"
    await fault("alipay.gateway", "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        await merchant.raw("alipay.unheard.of")
