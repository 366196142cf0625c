import httpx
import pytest

from kit.errors import OutsideError
from kit.wallets.transport import base_url, compact_json, json_object, may_pass, send

SECRET_URL = "https://api.example/cgi-bin/x"
TOKEN = {"access_token": "TOKEN-THAT-MUST-NOT-LEAK"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.weixin.qq.com/", "https://api.weixin.qq.com"),
        ("https://proxy.city.example/wechat/", "https://proxy.city.example/wechat"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
    ],
)
def test_base_url(text: str, expected: str) -> None:
    assert base_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://api.weixin.qq.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "api.weixin.qq.com",
        "https://user@api.weixin.qq.com",
        "https://api.weixin.qq.com?x=1",
        "",
    ],
)
def test_base_url_refuses_clear_text_and_nonsense(text: str) -> None:
    with pytest.raises(ValueError, match="wallet"):
        base_url(text)


@pytest.mark.parametrize(
    ("raised", "code", "permanent"),
    [
        (httpx.ConnectTimeout("x"), "TIMEOUT", False),
        (httpx.ReadTimeout("x"), "TIMEOUT", False),
        (httpx.PoolTimeout("x"), "TIMEOUT", False),
        (TimeoutError(), "TIMEOUT", False),
        (httpx.ConnectError("x"), "UNREACHABLE", False),
        (httpx.RemoteProtocolError("x"), "UNREACHABLE", False),
        (httpx.DecodingError("x"), "UNREACHABLE", False),
        (httpx.TooManyRedirects("x"), "UNREACHABLE", False),
        (ConnectionResetError(), "UNREACHABLE", False),
        (OutsideError("http", "BUSY", "too many calls", permanent=False), "BUSY", False),
        (OutsideError("http", "REFUSED", "no", permanent=True), "REFUSED", True),
    ],
)
async def test_send_names_every_failure_and_keeps_the_url_to_itself(
    raised: Exception, code: str, *, permanent: bool
) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise raised

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        with pytest.raises(OutsideError) as caught:
            await send(http, "wechat", "GET", SECRET_URL, params=TOKEN)
    error = caught.value
    assert (error.system, error.code, error.permanent) == ("wechat", code, permanent)
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "LEAK" not in str(error)


async def test_send_lets_bugs_through() -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        with pytest.raises(ZeroDivisionError):
            await send(http, "wechat", "GET", SECRET_URL)


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"null", b"{", b"\xff{}", b"[" * 100_000])
def test_json_object_is_none_for_all_else(raw: bytes) -> None:
    assert json_object(raw) is None


def test_json_both_ways() -> None:
    raw = compact_json({"name": "张三", "n": [1, 2]})
    assert raw == '{"name":"张三","n":[1,2]}'.encode()
    assert json_object(raw) == {"name": "张三", "n": [1, 2]}


def test_compact_json_refuses_what_json_has_not() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        compact_json({"n": float("nan")})


@pytest.mark.parametrize(("status", "expected"), [(500, True), (503, True), (429, True), (408, True), (404, False)])
def test_may_pass(status: int, *, expected: bool) -> None:
    assert may_pass(status) is expected
