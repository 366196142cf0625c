"""A phone at the rooms where residents sign in and prove who they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import httpx
from sanic import Request

from kit.web.access import Principal
from miniprogram_api import face_checks, me, sessions
from server.identity import queries
from server.journeys.house import House
from tests.factories.identity import World
from tests.support.serving import client, edge, served


@asynccontextmanager
async def resident_phone(city: World) -> AsyncIterator[httpx.AsyncClient]:
    """Its tokens are the sessions that it really opened."""

    async def who(request: Request) -> Principal | None:
        return await queries.authenticate(city.needs, token=request.token or "")

    house = cast("House", SimpleNamespace(identity=city.needs))
    door = edge(authenticators={"resident": who}, clock=city.clock)
    blueprints = [module.blueprint(house, door) for module in (sessions, me, face_checks)]
    async with served(blueprints) as base, client(base) as http:
        yield http


def keyed(token: str, key: str) -> dict[str, str]:
    """The headers of a request that is done once."""
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
