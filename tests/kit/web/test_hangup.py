"""A phone that hangs up at any moment costs no connection, no lock and no half-written row."""

import asyncio
import contextlib
import random

from sanic import Blueprint

from kit.db import execute, fetch, transaction
from kit.web.access import public
from kit.web.edge import Call
from kit.web.routes import Routes
from kit.web.validation import Answer
from tests.conftest import Db
from tests.support.moments import NOON
from tests.support.serving import client, edge, served

TIMES = 500


class Written(Answer):
    name: str


def _blueprint() -> Blueprint:
    routes = Routes("pairs", "/pairs", edge())

    @routes.put("/<name>", access=public("a test asks"), summary="Write two rows", answer=Written)
    async def write(_: Call[None], name: str) -> Written:
        async with transaction():
            await execute("INSERT INTO kit_heartbeat (name, at) VALUES (?, ?)", [f"{name}-a", NOON])
            await asyncio.sleep(0.001)
            await execute("INSERT INTO kit_heartbeat (name, at) VALUES (?, ?)", [f"{name}-b", NOON])
        return Written(name=name)

    return routes.blueprint


async def _hang_up(host: str, port: int, name: str, seconds: float) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.write(f"PUT /pairs/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(seconds)
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_500_hang_ups_leave_nothing_behind(db: Db):
    dice = random.Random(11)  # noqa: S311 - moments, not secrets
    async with served([_blueprint()]) as base_url:
        host, port = base_url.removeprefix("http://").split(":")
        for number in range(0, TIMES, 5):
            await asyncio.gather(
                *(_hang_up(host, int(port), f"h{number + part}", dice.random() * 0.008) for part in range(5))
            )
        async with client(base_url) as http, asyncio.timeout(60):
            answers = await asyncio.gather(*(http.put(f"/pairs/after{number}") for number in range(40)))
        assert [answer.status_code for answer in answers] == [200] * 40
    rows = {row["name"] for row in await fetch("SELECT name FROM kit_heartbeat")}
    pairs = {name[:-2] for name in rows}
    assert rows == {f"{name}-{end}" for name in pairs for end in "ab"}, "no pair is half written"
    cut_off = TIMES - sum(name.startswith("h") for name in pairs)
    assert cut_off > TIMES / 10, "the test did interrupt transactions"
