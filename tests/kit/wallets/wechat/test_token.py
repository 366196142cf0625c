import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.wallets.wechat.token import StableToken

BASE = "https://api.weixin.qq.com"
Make = Callable[[Callable[..., object]], httpx.AsyncClient]


class Tokens:
    """The platform's side: normal mode repeats the current token, forcing makes the next one."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.number = 1
        self.answer: dict[str, Any] | None = None
        self.status = 200
        self.failing: Exception | None = None
        self.lives: Any = 7200
        self.called = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("POST", f"{BASE}/cgi-bin/stable_token")
        asked = json.loads(request.content)
        self.asked.append(asked)
        self.called.set()
        await asyncio.sleep(0)
        if self.failing:
            raise self.failing
        if asked["force_refresh"]:
            self.number += 1
        answer = self.answer or {"access_token": f"T{self.number}", "expires_in": self.lives}
        return httpx.Response(self.status, json=answer)

    @property
    def forced(self) -> list[bool]:
        return [asked["force_refresh"] for asked in self.asked]


@pytest.fixture
def server() -> Tokens:
    return Tokens()


@pytest.fixture
def token(server: Tokens, client: Make, clock: FixedClock) -> StableToken:
    return StableToken(client(server), BASE + "/", "wx1", "s3cret", clock)


async def test_asks_as_the_platform_wants_and_keeps_the_answer(token: StableToken, server: Tokens) -> None:
    assert [await token.get(), await token.get()] == ["T1", "T1"]
    assert server.asked == [
        {"grant_type": "client_credential", "appid": "wx1", "secret": "s3cret", "force_refresh": False}
    ]


async def test_renews_five_minutes_before_the_end(token: StableToken, server: Tokens, clock: FixedClock) -> None:
    await token.get()
    clock.advance(seconds=7200 - 300 - 1)
    server.number = 2
    assert await token.get() == "T1"
    clock.advance(seconds=1)
    assert await token.get() == "T2"
    assert server.forced == [False, False]


async def test_a_short_life_is_used_a_minute_at_most(token: StableToken, server: Tokens, clock: FixedClock) -> None:
    server.lives = 200
    await token.get()
    clock.advance(seconds=59)
    await token.get()
    assert len(server.asked) == 1
    clock.advance(seconds=1)
    await token.get()
    assert len(server.asked) == 2


async def test_one_fetch_for_all_who_wait(token: StableToken, server: Tokens) -> None:
    assert await asyncio.gather(*(token.get() for _ in range(50))) == ["T1"] * 50
    assert len(server.asked) == 1


async def test_those_who_wait_share_a_failure_and_the_next_asks_again(token: StableToken, server: Tokens) -> None:
    server.failing = httpx.ReadTimeout("slow")
    results = await asyncio.gather(*(token.get() for _ in range(50)), return_exceptions=True)
    assert {(type(r), r.code) for r in results if isinstance(r, OutsideError)} == {(OutsideError, "TIMEOUT")}
    assert len(results) == 50
    assert len(server.asked) == 1
    server.failing = None
    assert await token.get() == "T1"


async def test_a_caller_who_hangs_up_does_not_hold_up_the_rest(token: StableToken, server: Tokens) -> None:
    first = asyncio.ensure_future(token.get())
    second = asyncio.ensure_future(token.get())
    await server.called.wait()
    first.cancel()
    assert await second == "T1"
    assert len(server.asked) == 2


async def test_a_refused_token_is_fetched_again_before_anything_is_forced(token: StableToken, server: Tokens) -> None:
    token.invalidate(await token.get())
    server.number = 7  # another process forced in the meantime
    assert await token.get() == "T7"
    assert server.forced == [False, False]


async def test_the_same_token_again_is_forced_once_in_thirty_seconds(
    token: StableToken, server: Tokens, clock: FixedClock
) -> None:
    token.invalidate(await token.get())
    assert await token.get() == "T2"
    assert server.forced == [False, False, True]

    token.invalidate("T2")
    clock.advance(seconds=29)
    with pytest.raises(OutsideError) as caught:
        await token.get()
    assert (caught.value.code, caught.value.permanent) == ("TOKEN_REFUSED", False)
    assert server.forced == [False, False, True, False]

    clock.advance(seconds=1)
    assert await token.get() == "T3"
    assert server.forced[-2:] == [False, True]


async def test_a_late_refusal_of_an_old_token_spares_the_new_one(token: StableToken, server: Tokens) -> None:
    token.invalidate(await token.get())
    await token.get()
    token.invalidate("T1")
    assert await token.get() == "T2"
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "status", "code", "permanent"),
    [
        ({"errcode": 40125, "errmsg": "invalid appsecret"}, 200, "40125", True),
        ({"errcode": -1, "errmsg": "system error"}, 200, "-1", False),
        ({"errcode": 45009, "errmsg": "quota"}, 200, "45009", False),
        ({"access_token": "", "expires_in": 7200}, 200, "BAD_ANSWER", False),
        ({"access_token": "T", "expires_in": "7200"}, 200, "BAD_ANSWER", False),
        ({"access_token": "T", "expires_in": 0}, 200, "BAD_ANSWER", False),
        ({"access_token": 5, "expires_in": 7200}, 200, "BAD_ANSWER", False),
        ({"detail": "bad gateway"}, 502, "HTTP_502", False),
        ({"detail": "no"}, 403, "HTTP_403", True),
    ],
)
async def test_failures(
    token: StableToken, server: Tokens, answer: dict[str, Any], status: int, code: str, *, permanent: bool
) -> None:
    server.answer, server.status = answer, status
    with pytest.raises(OutsideError) as caught:
        await token.get()
    assert (caught.value.system, caught.value.code, caught.value.permanent) == ("wechat", code, permanent)
    assert "s3cret" not in str(caught.value)
