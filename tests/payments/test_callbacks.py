import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from sanic import Blueprint

from kit.db import fetch
from kit.ids import new_id
from kit.web import app as web
from kit.web.access import public
from kit.web.edge import Call, Edge
from kit.web.limits import RateLimits
from kit.web.routes import Routes
from payments import callbacks
from payments.models import Order
from payments.ports import Needs
from payments.rules import OrderState
from tests.factories.payments import Till, till

pytestmark = pytest.mark.usefixtures("db")
PATH = "/callbacks/wechat_pay"


def _another(edge: Edge) -> Blueprint:
    """Sanic does not start without a single route."""
    routes = Routes("another", "/another", edge)

    @routes.get("", access=public("a test"), summary="Nothing")
    async def nothing(call: Call[None]) -> None:
        return None

    return routes.blueprint


@asynccontextmanager
async def serving(at: Till, needs: Needs) -> AsyncIterator[httpx.AsyncClient]:
    edge = Edge({}, RateLimits(), needs.cipher, at.clock)
    made = [callbacks.blueprint(needs, edge), _another(edge)]
    app = web.create(f"callbacks-{new_id()}", made, max_body_bytes=100_000)
    app.config.TOUCHUP = False  # it rewrites Sanic's classes for the first app of a process; this is one of many
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = await app.create_server(sock=listening, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    await server.start_serving()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            yield client
    finally:
        server.close()
        await server.wait_closed()


async def test_a_notice_is_acknowledged_kept_once_and_worked_on_later() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    headers, raw = at.wallet.notice(at.wallet.pay(attempt.out_trade_no), notice_id="notice-1")
    async with serving(at, at.needs) as client:
        answers = [await client.post(PATH, headers=headers, content=raw) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [answer.content for answer in answers] == [b"", b""]
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert len(await fetch("SELECT id FROM kit_inbox")) == 1
    await at.work()
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert len(at.told) == 1


async def test_what_is_not_proven_is_refused_and_leaves_no_trace() -> None:
    at = till()
    attempt = await at.pay(await at.order())
    headers, raw = at.wallet.notice(at.wallet.pay(attempt.out_trade_no), notice_id="notice-1")
    async with serving(at, at.needs) as client:
        forged = await client.post(PATH, headers=headers, content=raw + b" ")
        unsigned = await client.post(PATH, content=raw)

    assert [forged.status_code, unsigned.status_code] == [401, 401]
    assert forged.json()["code"] == "NOTICE_REFUSED"
    assert await fetch("SELECT id FROM kit_inbox") == []


async def test_without_the_wallets_secret_there_is_no_route() -> None:
    at = till()
    headers, raw = at.wallet.notice(at.wallet.pay((await at.pay(await at.order())).out_trade_no), notice_id="n")
    async with serving(at, replace(at.needs, notices={})) as client:
        assert (await client.post(PATH, headers=headers, content=raw)).status_code == 404
