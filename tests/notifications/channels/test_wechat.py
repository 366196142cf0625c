import json
from typing import Any

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.wallets.wechat.token import StableToken
from kit.wallets.wechat.transport import WechatApi
from notifications.channels.refusal import Refusal
from notifications.channels.wechat import REFUSALS, WechatChannel
from notifications.ports import ConsentRefused, Outgoing
from tests.support.moments import NOON

MESSAGE = Outgoing("oZhang", "case_accepted", {"thing1": "转移登记"}, "pages/application/detail?id=1")


class Wechat:
    """WeChat's end: one token, and one answer to every message."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        request = httpx.Request(method, url, **options)
        if request.url.path.endswith("stable_token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 7200})
        self.asked.append(request)
        return httpx.Response(200, json=self.answer)


def channel(answer: dict[str, Any]) -> tuple[WechatChannel, Wechat]:
    end = Wechat(answer)
    token = StableToken(end, "https://api.example", "wxapp", "secret", FixedClock(NOON))
    api = WechatApi(end, "https://api.example", token)
    return WechatChannel(api, {"case_accepted": "TEMPLATE-1"}, state="trial"), end


async def test_a_message_is_sent_as_wechat_wants_it() -> None:
    messages, end = channel({"errcode": 0, "errmsg": "ok", "msgid": 3000000000000000001})
    assert await messages.send(MESSAGE) == "3000000000000000001"
    assert end.asked[0].url.path == "/cgi-bin/message/subscribe/send"
    assert json.loads(end.asked[0].content) == {
        "touser": "oZhang",
        "template_id": "TEMPLATE-1",
        "page": "pages/application/detail?id=1",
        "miniprogram_state": "trial",
        "lang": "zh_CN",
        "data": {"thing1": {"value": "转移登记"}},
    }


async def test_no_consent_is_told_apart() -> None:
    with pytest.raises(ConsentRefused):
        await channel({"errcode": 43101, "errmsg": "user refuse to accept the msg"})[0].send(MESSAGE)


@pytest.mark.parametrize(("errcode", "refusal"), sorted(REFUSALS.items()))
async def test_every_documented_refusal_has_its_meaning(errcode: int, refusal: Refusal) -> None:
    sending = channel({"errcode": errcode, "errmsg": "x"})[0].send(MESSAGE)
    if refusal is Refusal.NO_CONSENT:
        with pytest.raises(ConsentRefused):
            await sending
        return
    with pytest.raises(OutsideError) as caught:
        await sending
    assert (caught.value.code, caught.value.permanent) == (str(errcode), refusal is Refusal.FOR_GOOD)


def test_what_wechat_documents_is_known() -> None:
    """The codes of subscribeMessage.send, and those of the token and the limits that every call may meet."""
    for_good, for_now = {40003, 40037, 41030, 47003, 43107, 45168, 48001}, {-1, 40001, 40014, 42001, 45009, 43108}
    assert {code for code in for_good if REFUSALS[code] is not Refusal.FOR_GOOD} == set()
    assert {code for code in for_now if REFUSALS[code] is not Refusal.FOR_NOW} == set()
    assert REFUSALS[43101] is Refusal.NO_CONSENT


async def test_what_nobody_has_heard_of_is_for_staff() -> None:
    with pytest.raises(OutsideError) as caught:
        await channel({"errcode": 99999, "errmsg": "x"})[0].send(MESSAGE)
    assert (caught.value.code, caught.value.permanent) == ("99999", True)


def test_only_templates_that_were_applied_for_have_an_id() -> None:
    messages, _ = channel({})
    assert messages.template_id("case_accepted") == "TEMPLATE-1"
    assert messages.template_id("fee_due") is None
