"""An app of ours on a free port of loopback, in this process and its event loop."""

import itertools
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sanic import Blueprint, Request, Sanic

from kit.clock import Clock, SystemClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import BLIND, KeyRing
from kit.web import app as web
from kit.web.access import Authenticator, Principal
from kit.web.edge import Edge
from kit.web.limits import RateLimits
from tests.support.listening import turns

CIPHER = Cipher(KeyRing({"k1": b"1" * 32, BLIND: b"2" * 32}, "k1"))
_names = itertools.count()


def edge(
    *,
    authenticators: Mapping[str, Authenticator] | None = None,
    limits: RateLimits | None = None,
    clock: Clock | None = None,
) -> Edge:
    """An edge that knows who calls by the bearer token: see `by_token`."""
    known = {"resident": by_token, "staff": by_token} if authenticators is None else authenticators
    return Edge(known, limits or RateLimits(), CIPHER, clock or SystemClock())


async def by_token(request: Request) -> Principal | None:
    """The token `resident-2` is a resident of level 2, `staff-case.read` an officer with that permission."""
    who, _, rest = (request.token or "").partition("-")
    if who == "resident":
        return Principal("resident", id="r1", session_id="s1", level=int(rest))
    if who == "staff":
        return Principal("staff", id="o1", session_id="s2", permissions=frozenset({rest}))
    return None


@asynccontextmanager
async def served(blueprints: Sequence[Blueprint], *, max_body_bytes: int = 64 * 1024) -> AsyncIterator[str]:
    """Serve the blueprints as the house does; gives the base URL."""
    app = web.create(f"test-{next(_names)}", blueprints, max_body_bytes=max_body_bytes)
    async with running(app) as base_url:
        yield base_url


@asynccontextmanager
async def running(app: Sanic[Any, Any]) -> AsyncIterator[str]:
    """Serve the app; gives the base URL."""
    app.config.TOUCHUP = False  # it may happen once in a process, and tests start many apps
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.before_start()
    await server.after_start()
    await server.start_serving()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await server.before_stop()
        server.close()
        await turns()
        for end in ("close", "abort"):  # abort for what cannot be sent any more
            for connection in list(server.connections):
                getattr(connection, end)()
            await turns()
        await server.after_stop()
        Sanic.unregister_app(app)


@asynccontextmanager
async def client(base_url: str, token: str = "") -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False, timeout=60) as http:
        yield http
