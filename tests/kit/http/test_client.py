import asyncio
import socket
import traceback
from collections.abc import AsyncIterator

import pytest
from sanic import HTTPResponse

from kit.db import transaction
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.log import request_scope
from kit.web.access import public
from kit.web.edge import Call
from kit.web.routes import Routes
from tests.conftest import Db
from tests.support.serving import edge, served

TOKEN = "secret-token-of-ours"
REASON = "a test asks"


class Bank:
    """The other side: counts what reaches it."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = self.redirected = 0
        self.gate = asyncio.Event()

    async def work(self) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.05)
        self.at_once -= 1


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
async def url(bank: Bank) -> AsyncIterator[str]:
    routes = Routes("bank", "", edge())
    access = public(REASON)

    @routes.get("/work", access=access, summary="x", media_type="text/plain")
    async def work(call: Call[None]) -> HTTPResponse:
        await bank.work()
        return HTTPResponse(call.request.headers.get("x-request-id", ""))

    @routes.get("/slow", access=access, summary="x")
    async def slow(_: Call[None]) -> None:
        await asyncio.sleep(2)

    @routes.get("/held", access=access, summary="x")
    async def held(_: Call[None]) -> None:
        await bank.gate.wait()

    @routes.get("/drip", access=access, summary="x")
    async def drip(call: Call[None]) -> HTTPResponse:
        answer = await call.request.respond(content_type="text/plain")
        for _ in range(20):
            await answer.send(b".")
            await asyncio.sleep(0.1)
        await answer.eof()
        return answer

    @routes.get("/away", access=access, summary="x", media_type="text/plain")
    async def away(_: Call[None]) -> HTTPResponse:
        return HTTPResponse(status=302, headers={"Location": "/elsewhere"})

    @routes.get("/elsewhere", access=access, summary="x")
    async def elsewhere(_: Call[None]) -> None:
        bank.redirected += 1

    @routes.get("/refuses", access=access, summary="x", media_type="text/plain")
    async def refuses(_: Call[None]) -> HTTPResponse:
        return HTTPResponse("no", status=500)

    async with served([routes.blueprint]) as base_url:
        yield base_url


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("bank", timeout=60, limit=3)
    yield client
    await client.aclose()


@pytest.fixture
def hasty(http: HttpClient) -> HttpClient:
    """The same in a hurry; `_timeout` gives it its patience back."""
    http._timeout = 0.5
    return http


async def test_no_call_leaves_while_a_transaction_is_open(db: Db, url: str, bank: Bank, http: HttpClient):
    async with transaction():
        with pytest.raises(RuntimeError, match="transaction"):
            await http.request("GET", f"{url}/work")
    assert bank.most_at_once == 0
    assert (await http.request("GET", f"{url}/work")).is_success


@pytest.mark.parametrize("path", ["/slow", "/drip"])
async def test_the_whole_exchange_has_one_time_limit(url: str, hasty: HttpClient, path: str):
    with pytest.raises(OutsideError, match="no answer") as caught:
        await hasty.request("GET", url + path)
    assert (caught.value.code, caught.value.system, caught.value.permanent) == ("TIMEOUT", "bank", False)


async def test_only_so_many_calls_are_under_way(url: str, bank: Bank, http: HttpClient):
    answers = await asyncio.gather(*(http.request("GET", f"{url}/work") for _ in range(9)))
    assert all(answer.is_success for answer in answers)
    assert bank.most_at_once == 3


async def test_who_waits_too_long_for_a_slot_times_out(url: str, bank: Bank, http: HttpClient):
    hogs = [asyncio.create_task(http.request("GET", f"{url}/held")) for _ in range(3)]
    await asyncio.sleep(0)
    http._timeout = 0.1
    with pytest.raises(OutsideError) as late:
        await http.request("GET", f"{url}/work")
    assert (late.value.code, bank.most_at_once) == ("TIMEOUT", 0)
    http._timeout = 60
    bank.gate.set()
    assert all(answer.is_success for answer in await asyncio.gather(*hogs))
    assert (await http.request("GET", f"{url}/work")).is_success, "every slot is free again"


async def test_the_request_id_goes_along(url: str, http: HttpClient):
    with request_scope("request-0001"):
        assert (await http.request("GET", f"{url}/work")).text == "request-0001"


async def test_a_redirect_is_an_answer(url: str, bank: Bank, http: HttpClient):
    assert (await http.request("GET", f"{url}/away")).status_code == 302
    assert bank.redirected == 0


async def test_a_refusal_is_an_answer(url: str, http: HttpClient):
    assert (await http.request("GET", f"{url}/refuses")).status_code == 500


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_nobody_there_is_unreachable_and_the_address_is_not_told(http: HttpClient):
    with pytest.raises(OutsideError) as caught:
        await http.request("GET", f"http://127.0.0.1:{_closed_port()}/x", params={"access_token": TOKEN})
    assert caught.value.code == "UNREACHABLE"
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


async def test_a_time_out_does_not_tell_the_address_either(url: str, hasty: HttpClient):
    with pytest.raises(OutsideError) as caught:
        await hasty.request("GET", f"{url}/slow", params={"access_token": TOKEN})
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None
