"""`alipay-sdk` for Node agrees with our signatures and our encryption, and we with what it signs."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from kit.clock import FixedClock
from kit.wallets.alipay.content import decrypt, encrypt
from kit.wallets.alipay.keys import alipay_public_key, app_key
from kit.wallets.alipay.notify import AlipayNotices
from kit.wallets.alipay.signing import AppSigner, sign_content, verify
from kit.wallets.errors import BadNotice
from sandbox import credentials
from sandbox.server import served
from tests.independent.conftest import Judge
from tests.kit.wallets.wechat.party import Party

APP_ID = "2021000000000001"
AES_KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
TRADE = {
    "out_trade_no": "T20261121_1",
    "total_amount": "80.00",
    "subject": "不动产登记费 A&B",
    "goods_detail": [{"goods_name": "登记费", "price": "80.00"}],
}


def config(app: Party, alipay: Party) -> dict[str, Any]:
    return {"appId": APP_ID, "appKey": app.pkcs8, "alipayPublicKey": alipay.spki, "aesKey": AES_KEY}


def test_the_same_request_has_the_same_signature(judge: Judge, merchant: Party, platform: Party):
    """PKCS#1 v1.5 leaves nothing to chance: equal signatures, equal content."""
    told = judge(
        "alipay.sign",
        config=config(merchant, platform),
        method="alipay.trade.create",
        params={"notify_url": "https://city.example/callbacks/alipay", "biz_content": TRADE},
    )
    sign = told.pop("sign")
    signer = AppSigner(APP_ID, app_key(merchant.pkcs8), FixedClock(datetime.now(UTC)))
    assert (told["app_id"], told["sign_type"], told["charset"]) == (APP_ID, "RSA2", "utf-8")
    assert signer.sign(sign_content(told).encode()) == sign
    assert verify(merchant.public, sign_content(told).encode(), sign)
    assert not verify(merchant.public, sign_content({**told, "charset": "gbk"}).encode(), sign)


def test_what_it_signs_is_a_notice_to_us(judge: Judge, merchant: Party, platform: Party):
    """Signed with Alipay's key here, `sign_type` included, as some of Alipay's own notices are."""
    fields = {"notify_id": "n1", "trade_status": "TRADE_SUCCESS", "subject": "测试 A&B=1", "seller_id": "2088"}
    signed = judge("alipay.sign", config=config(platform, merchant), method="notify", params=fields)
    notices = AlipayNotices(alipay_public_key(platform.spki))
    opened = notices.open(_form(signed))
    assert {name: opened[name] for name in fields} == fields
    with pytest.raises(BadNotice, match="bad_signature"):
        notices.open(_form({**signed, "subject": "测试 A&B=2"}))


@pytest.mark.parametrize("with_type", [False, True])
def test_a_notice_as_we_read_it_is_genuine_to_it(judge: Judge, merchant: Party, platform: Party, *, with_type: bool):
    fields = {"notify_id": "n1", "charset": "utf-8", "fund_bill_list": '[{"amount":"80.00"}]', "subject": "测试 A&B=1"}
    covered = {**fields, "sign_type": "RSA2"} if with_type else fields
    form = {**fields, "sign_type": "RSA2", "sign": platform.sign(sign_content(covered).encode())}
    assert AlipayNotices(alipay_public_key(platform.spki)).open(_form(form)) == fields
    ours = config(merchant, platform)
    assert judge("alipay.notice_genuine", config=ours, form=form) is True
    spaced = {**form, "fund_bill_list": '[{"amount": "80.00"}]'}
    assert judge("alipay.notice_genuine", config=ours, form=spaced) is False


def test_encrypted_content_opens_on_both_sides(judge: Judge, merchant: Party, platform: Party):
    content = {"mobile": "13800000000", "名": "张"}
    text, key = json.dumps(content, ensure_ascii=False, separators=(",", ":")), base64.b64decode(AES_KEY)
    ours = config(merchant, platform)
    assert judge("alipay.decrypt", config=ours, text=encrypt(key, text)) == text
    assert decrypt(key, judge("alipay.encrypt", config=ours, content=content)) == text


async def test_it_can_speak_with_the_sandbox(judge: Judge, tmp_path: Path):
    """Requests signed there are verified here, and answers signed here are verified there."""
    credentials.init(tmp_path)
    keys, given = credentials.load(tmp_path), tmp_path / "credentials"
    async with served(tmp_path) as running:
        gateway = {
            "appId": keys.alipay_app_id,
            "appKey": (given / "alipay_app_key.pem").read_text(),
            "alipayPublicKey": (given / "alipay_public_key.pem").read_text(),
            "gateway": f"{running.url}/alipay/gateway.do",
        }
        buyer = running.world.people.all()[0].alipay_open_id
        order = {
            "product_code": "JSAPI_PAY",
            "op_app_id": keys.alipay_app_id,
            "buyer_open_id": buyer,
            **{name: TRADE[name] for name in ("out_trade_no", "total_amount")},
            "subject": "不动产登记费",
        }

        async def ask(method: str, content: dict[str, Any], **other: str) -> dict[str, Any]:
            found: dict[str, Any] = await asyncio.to_thread(
                judge, "alipay.exec", config={**gateway, **other}, method=method, params={"biz_content": content}
            )
            return found

        placed = await ask("alipay.trade.create", order)
        assert (placed["code"], placed["outTradeNo"]) == ("10000", TRADE["out_trade_no"])
        found = await ask("alipay.trade.query", {"out_trade_no": "nobody_knows"})
        assert (found["code"], found["subCode"]) == ("40004", "ACQ.TRADE_NOT_EXIST")
        with pytest.raises(RuntimeError):
            await ask("alipay.trade.query", {"out_trade_no": "T20261121_1"}, alipayPublicKey=Party().spki)


def _form(fields: dict[str, str]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields.items()).encode()
