import json
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.wallets.wechat.errors import TRANSIENT, WechatError
from kit.wallets.wechat.token import StableToken
from kit.wallets.wechat.transport import WechatApi

BASE = "http://127.0.0.1:9"
Make = Callable[[Callable[..., object]], httpx.AsyncClient]


class Server:
    """Hands out tokens and answers calls from a list, the last answer again and again."""

    def __init__(self) -> None:
        self.number = 1
        self.forced = 0
        self.seen: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception] = [httpx.Response(200, json={"errcode": 0, "a": "值"})]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cgi-bin/stable_token":
            if json.loads(request.content)["force_refresh"]:
                self.forced += 1
                self.number += 1
            return httpx.Response(200, json={"access_token": f"SECRET-{self.number}", "expires_in": 7200})
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def tokens(self) -> list[str | None]:
        return [request.url.params.get("access_token") for request in self.seen]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def api(server: Server, client: Make, clock: FixedClock) -> WechatApi:
    http = client(server)
    return WechatApi(http, BASE, StableToken(http, BASE, "wx1", "s3cret", clock))


def refused(errcode: Any, errmsg: str = "no") -> httpx.Response:
    return httpx.Response(200, json={"errcode": errcode, "errmsg": errmsg})


async def test_posts_json_in_utf8_with_the_token(api: WechatApi, server: Server) -> None:
    assert await api.post_json("wxa/business/x", {"name": "张三"}, params={"q": "1"}) == {"errcode": 0, "a": "值"}
    request = server.seen[0]
    assert (request.method, request.url.path) == ("POST", "/wxa/business/x")
    assert dict(request.url.params) == {"q": "1", "access_token": "SECRET-1"}
    assert request.content == '{"name":"张三"}'.encode()
    assert request.headers["content-type"] == "application/json"


async def test_gets_with_and_without_the_token(api: WechatApi, server: Server) -> None:
    server.answers = [httpx.Response(200, json={"openid": "o1"})]
    assert await api.get("sns/x", params={"js_code": "c"}, with_token=False) == {"openid": "o1"}
    await api.get("/sns/y")
    assert server.tokens == [None, "SECRET-1"]
    assert server.seen[1].url.path == "/sns/y"


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_refused_token_is_renewed_and_the_call_said_once_more(
    api: WechatApi, server: Server, errcode: int
) -> None:
    server.answers = [refused(errcode), httpx.Response(200, json={"ok": True})]
    assert await api.post_json("x", {}) == {"ok": True}
    assert server.tokens == ["SECRET-1", "SECRET-2"]
    assert server.forced == 1


async def test_refused_twice_ends_and_the_next_call_does_not_reuse_the_token(
    api: WechatApi, server: Server, clock: FixedClock
) -> None:
    server.answers = [refused(40001)]
    with pytest.raises(WechatError) as caught:
        await api.post_json("x", {})
    assert (caught.value.errcode, caught.value.permanent) == (40001, False)
    assert len(server.seen) == 2
    clock.advance(seconds=30)
    server.answers = [httpx.Response(200, json={})]
    assert await api.post_json("x", {}) == {}
    assert server.tokens == ["SECRET-1", "SECRET-2", "SECRET-3"]


async def test_without_a_token_nothing_is_repeated(api: WechatApi, server: Server) -> None:
    server.answers = [refused(40001)]
    with pytest.raises(WechatError):
        await api.get("sns/x", with_token=False)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("errcode", "permanent"),
    [
        (-1, False),
        (45009, False),
        (45011, False),
        (40029, True),
        (40163, True),
        (40226, True),
        (43101, True),
        (47003, True),
        (48001, True),
        (40003, True),
        (999999, True),
        ("40029", True),
        ("busy", False),
        (None, False),
        ([], False),
    ],
)
async def test_errcodes(api: WechatApi, server: Server, errcode: Any, *, permanent: bool) -> None:
    server.answers = [refused(errcode, "x" * 500)]
    with pytest.raises(WechatError) as caught:
        await api.post_json("x", {})
    error = caught.value
    assert (error.system, error.permanent) == ("wechat", permanent)
    assert error.code == str(error.errcode)
    assert len(error.errmsg) == 200


async def test_every_errcode_is_mapped() -> None:
    for number in range(-2000, 100_000):
        assert WechatError(number, "").permanent is (number not in TRANSIENT)


@pytest.mark.parametrize(
    ("answer", "code", "permanent"),
    [
        (httpx.Response(200, content=b"<html>"), "BAD_ANSWER", False),
        (httpx.Response(200, content=b"[]"), "BAD_ANSWER", False),
        (httpx.Response(502, content=b"<html>"), "HTTP_502", False),
        (httpx.Response(503, json={"busy": 1}), "HTTP_503", False),
        (httpx.Response(429), "HTTP_429", False),
        (httpx.Response(404), "HTTP_404", True),
        (httpx.Response(412, json={"errcode": 43101, "errmsg": "no"}), "43101", True),
        (httpx.ReadTimeout("x"), "TIMEOUT", False),
        (httpx.ConnectError("x"), "UNREACHABLE", False),
    ],
)
async def test_no_failure_carries_the_token(
    api: WechatApi, server: Server, answer: httpx.Response | Exception, code: str, *, permanent: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(OutsideError) as caught:
        await api.post_json("x", {})
    assert (caught.value.system, caught.value.code, caught.value.permanent) == ("wechat", code, permanent)
    assert server.tokens == ["SECRET-1"]
    assert "SECRET" not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert caught.value.__context__ is None


def test_clear_text_is_refused(client: Make, server: Server, clock: FixedClock) -> None:
    http = client(server)
    with pytest.raises(ValueError, match="https"):
        WechatApi(http, "http://api.weixin.qq.com", StableToken(http, BASE, "wx1", "s", clock))
