import base64
import json
from typing import Any

import pytest

from sandbox.signing import alipay_content, cbc_decrypt, cbc_encrypt
from tests.sandbox.alipay.merchant import OPEN_ID, Merchant
from tests.sandbox.city import City

TOKEN = "alipay.system.oauth.token"
# Published and Node-made vectors, checked independently of this project.
AES_KEY = base64.b64decode("MDEyMzQ1Njc4OWFiY2RlZg==")
AES_TEXT = "sb44umJUD7auqhU6RDzOGa1sxXOWIxth2OsK89GQTNNv4ErpbKZS96y8shP9xpRPVEOBuwq2r3IfDvUmNN+1jw=="
AES_PLAIN = b'{"code":"10000","msg":"Success","mobile":"13800000000"}'


async def token(merchant: Merchant, **form: str) -> dict[str, Any]:
    return await merchant.call(TOKEN, form=form)


async def code_of(city: City, **more: Any) -> str:
    return str((await city.control("POST", "/alipay/login", person="P3", **more))["code"])


async def test_a_code_works_once(merchant: Merchant, city: City):
    code = await code_of(city)
    session = await token(merchant, grant_type="authorization_code", code=code)
    assert "code" not in session
    assert session["open_id"] == OPEN_ID
    assert session["user_id"].startswith("2088")
    refused = await token(merchant, grant_type="authorization_code", code=code)
    assert (refused["code"], refused["sub_code"]) == ("40002", "isv.code-invalid")


@pytest.mark.parametrize(("ids", "absent"), [("open_id", "user_id"), ("user_id", "open_id")])
async def test_an_app_may_be_given_one_id_alone(merchant: Merchant, city: City, ids: str, absent: str):
    session = await token(merchant, grant_type="authorization_code", code=await code_of(city, ids=ids))
    assert ids in session
    assert absent not in session


async def test_codes_that_do_not_work(merchant: Merchant, city: City):
    assert (await token(merchant, grant_type="authorization_code", code="made-up"))["sub_code"] == "isv.code-invalid"
    assert (await token(merchant, grant_type="x", code="y"))["sub_code"] == "isv.grant-type-invalid"
    code = await code_of(city)
    await city.control("POST", "/clock", advance_seconds=181)
    assert (await token(merchant, grant_type="authorization_code", code=code))["sub_code"] == "isv.code-invalid"


async def test_refreshing_spends_the_old_token(merchant: Merchant, city: City):
    first = await token(merchant, grant_type="authorization_code", code=await code_of(city))
    second = await token(merchant, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    refused = await token(merchant, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert refused["sub_code"] == "isv.refresh-token-invalid"


async def test_a_phone_number(merchant: Merchant, city: City):
    given = await city.control("POST", "/alipay/phone", person="P3")
    assert merchant.verifies(f'"{given["response"]}"', given["sign"])
    key = base64.b64decode(city.secret("alipay_aes_key"))
    shown = json.loads(cbc_decrypt(key, given["response"]))
    assert shown == {"code": "10000", "msg": "Success", "mobile": "19900000003"}
    forged = await city.control("POST", "/alipay/phone", person="P3", wrong_key=True)
    assert not merchant.verifies(f'"{forged["response"]}"', forged["sign"])


async def test_a_phone_number_that_is_refused_stays_in_clear(merchant: Merchant, city: City):
    given = await city.control("POST", "/alipay/phone", person="P3", refused=True)
    assert json.loads(given["response"])["subCode"] == "isv.invalid-auth-relations"
    assert merchant.verifies(given["response"], given["sign"])


def test_encryption_by_vector():
    assert cbc_decrypt(AES_KEY, AES_TEXT) == AES_PLAIN
    assert cbc_encrypt(AES_KEY, AES_PLAIN) == AES_TEXT
    with pytest.raises(ValueError, match="padding"):
        cbc_decrypt(bytes(16), AES_TEXT)


def test_content_leaves_out_the_signature_and_what_is_empty():
    content = alipay_content({"b": "2 & 3", "a": "测试", "sign": "x", "empty": "", "sign_type": "RSA2"})
    assert content == "a=测试&b=2 & 3&sign_type=RSA2".encode()
