"""A phone that hangs up at any moment costs no connection, no lock and no half-written row."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Mapping

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


def _blueprint(inside: Mapping[str, asyncio.Event]) -> Blueprint:
    """`inside`: who hangs up in the middle of the transaction, which lasts until then."""
    routes = Routes("pairs", "/pairs", edge())

    @routes.put("/<name>", access=public("a test asks"), summary="Write two rows", answer=Written)
    async def write(_: Call[None], name: str) -> Written:
        async with transaction():
            await execute("INSERT INTO kit_heartbeat (name, at) VALUES (?, ?)", [f"{name}-a", NOON])
            if name in inside:
                inside[name].set()
                await asyncio.Event().wait()
            await asyncio.sleep(0.001)
            await execute("INSERT INTO kit_heartbeat (name, at) VALUES (?, ?)", [f"{name}-b", NOON])
        return Written(name=name)

    return routes.blueprint


async def _hang_up(host: str, port: int, name: str, moment: Awaitable[object]) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.write(f"PUT /pairs/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()
    await moment
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_500_hang_ups_leave_nothing_behind(db: Db):
    dice = random.Random(11)  # noqa: S311 - moments, not secrets
    inside = {f"h{number}": asyncio.Event() for number in range(0, TIMES, 5)}

    def moment(name: str) -> Awaitable[object]:
        return inside[name].wait() if name in inside else asyncio.sleep(dice.random() * 0.008)

    async with served([_blueprint(inside)]) as base_url:
        host, port = base_url.removeprefix("http://").split(":")
        for number in range(0, TIMES, 5):
            names = [f"h{number + part}" for part in range(5)]
            await asyncio.gather(*(_hang_up(host, int(port), name, moment(name)) for name in names))
        async with client(base_url) as http, asyncio.timeout(60):
            answers = await asyncio.gather(*(http.put(f"/pairs/after{number}") for number in range(40)))
        assert [answer.status_code for answer in answers] == [200] * 40
    rows = {row["name"] for row in await fetch("SELECT name FROM kit_heartbeat")}
    pairs = {name[:-2] for name in rows}
    assert rows == {f"{name}-{end}" for name in pairs for end in "ab"}, "no pair is half written"
    assert pairs.isdisjoint(inside), "what was interrupted is not there"
