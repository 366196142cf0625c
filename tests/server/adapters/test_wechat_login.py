import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError, Problem
from kit.wallets.wechat.token import StableToken
from kit.wallets.wechat.transport import WechatApi
from server.adapters.fake_login import FakeWallet
from server.adapters.wechat_login import WechatLogin, WechatPhoneNumbers
from server.identity.errors import LoginBlocked, LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import PhoneProof

BASE = "http://127.0.0.1:9"
SESSION = {"openid": "oABC", "session_key": "c2Vzc2lvbg==", "unionid": "uABC"}
PHONE = {
    "phoneNumber": "+86 13800001234",
    "purePhoneNumber": "13800001234",
    "countryCode": "86",
    "watermark": {"appid": "wx1", "timestamp": 1},
}


class Wechat:
    """Answers one call after another with `answer`."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cgi-bin/stable_token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": 7200})
        self.asked.append(request)
        if self.down:
            raise httpx.ConnectTimeout("down")
        return httpx.Response(200, json=self.answer)


@pytest.fixture
def wechat() -> Wechat:
    return Wechat()


@pytest.fixture
async def api(wechat: Wechat) -> AsyncIterator[WechatApi]:
    clock = FixedClock(datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    async with httpx.AsyncClient(transport=httpx.MockTransport(wechat)) as http:
        yield WechatApi(http, BASE, StableToken(http, BASE, "wx1", "s3cret", clock))


async def test_a_code_becomes_an_identity(api: WechatApi, wechat: Wechat) -> None:
    wechat.answer = SESSION
    found = await WechatLogin(api, app_id="wx1", secret="s3cret").exchange("081abc")
    assert (found.wallet, found.app_id, found.openid, found.union_id) == ("wechat", "wx1", "oABC", "uABC")
    assert "oABC" not in repr(found)
    assert found.session_key not in repr(found)
    request = wechat.asked[0]
    assert (request.method, request.url.path) == ("GET", "/sns/jscode2session")
    assert dict(request.url.params) == {
        "appid": "wx1",
        "secret": "s3cret",
        "js_code": "081abc",
        "grant_type": "authorization_code",
    }


async def test_a_phone_code_becomes_a_number(api: WechatApi, wechat: Wechat) -> None:
    wechat.answer = {"errcode": 0, "errmsg": "ok", "phone_info": PHONE}
    phones = WechatPhoneNumbers(api, app_id="wx1")
    assert await phones.number(PhoneProof("c0de"), "oABC") == "13800001234"
    request = wechat.asked[0]
    assert (request.method, request.url.path) == ("POST", "/wxa/business/getuserphonenumber")
    assert json.loads(request.content) == {"code": "c0de", "openid": "oABC"}
    wechat.answer["phone_info"] = {**PHONE, "countryCode": "852", "purePhoneNumber": "91234567"}
    assert await phones.number(PhoneProof("c0de"), "oABC") == "+85291234567"


@pytest.mark.parametrize("errcode", [40029, 40163, 41008, 40226, 40003, 45011, -1, 40013, 48001, 99999])
@pytest.mark.parametrize("what", ["login", "phone"])
async def test_every_refusal_is_a_problem_or_an_outside_error(
    api: WechatApi, wechat: Wechat, what: str, errcode: int
) -> None:
    wechat.answer = {"errcode": errcode, "errmsg": "no"}
    with pytest.raises((Problem, OutsideError)) as refused:
        await ask(api, what)
    code = LoginCodeRejected if what == "login" else PhoneCodeRejected
    expected: dict[int, type[Exception]] = {40029: code, 40163: code, 41008: code, 40226: LoginBlocked}
    if what == "phone":
        expected[40003] = PhoneCodeRejected
    assert refused.type is expected.get(errcode, refused.type)
    if errcode not in expected:
        assert isinstance(refused.value, OutsideError)
        assert refused.value.permanent is (errcode not in {-1, 45011})


async def ask(api: WechatApi, what: str) -> object:
    if what == "login":
        return await WechatLogin(api, app_id="wx1", secret="s3cret").exchange("081abc")
    return await WechatPhoneNumbers(api, app_id="wx1").number(PhoneProof("081abc"), "oABC")


@pytest.mark.parametrize("what", ["login", "phone"])
async def test_when_wechat_is_down_it_is_its_fault(api: WechatApi, wechat: Wechat, what: str) -> None:
    wechat.down = True
    with pytest.raises(OutsideError) as failed:
        await ask(api, what)
    assert (failed.value.code, failed.value.permanent) == ("TIMEOUT", False)


@pytest.mark.parametrize("code", ["", "x" * 129])
async def test_what_cannot_be_a_code_is_not_sent(api: WechatApi, wechat: Wechat, code: str) -> None:
    with pytest.raises(LoginCodeRejected):
        await WechatLogin(api, app_id="wx1", secret="s").exchange(code)
    with pytest.raises(PhoneCodeRejected):
        await WechatPhoneNumbers(api, app_id="wx1").number(PhoneProof(code), "o")
    assert wechat.asked == []


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("login", {}),
        ("login", {"openid": 7, "session_key": "x"}),
        ("login", {"openid": "oABC"}),
        ("phone", {"errcode": 0}),
        ("phone", {"errcode": 0, "phone_info": {**PHONE, "watermark": None}}),
        ("phone", {"errcode": 0, "phone_info": {**PHONE, "watermark": {"appid": "wx2"}}}),
        ("phone", {"errcode": 0, "phone_info": {**PHONE, "purePhoneNumber": ""}}),
    ],
)
async def test_an_answer_without_what_we_asked_for(
    api: WechatApi, wechat: Wechat, what: str, answer: dict[str, Any]
) -> None:
    wechat.answer = answer
    with pytest.raises(OutsideError) as failed:
        await ask(api, what)
    assert (failed.value.code, failed.value.permanent) == ("BAD_ANSWER", False)


async def test_the_fake_keeps_the_same_promises() -> None:
    fake = FakeWallet()
    code = fake.give_login_code("oABC")
    assert (await fake.exchange(code)).openid == "oABC"
    with pytest.raises(LoginCodeRejected):
        await fake.exchange(code)
    phone = fake.give_phone_code("oABC", "13800001234")
    assert await fake.number(PhoneProof(phone), "oABC") == "13800001234"
    with pytest.raises(PhoneCodeRejected):
        await fake.number(PhoneProof(phone), "oABC")
    with pytest.raises(PhoneCodeRejected):
        await fake.number(PhoneProof(fake.give_phone_code("oABC", "1")), "oOTHER")
