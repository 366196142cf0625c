"""Staff at their desks: one room of the console served alone, to whoever the token says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import httpx
from sanic import Blueprint, Request

from kit.web.access import Principal
from kit.web.edge import Edge
from server.journeys.house import House
from tests.factories import registry
from tests.factories.payments import Till
from tests.support.serving import client, edge, served

Room = Callable[[House, Edge], Blueprint]


@asynccontextmanager
async def finance_desk(at: Till, room: Room, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """The token is permissions with + between; a hyphen and a district make it an account of that district alone."""

    async def who(request: Request) -> Principal | None:
        given, _, district = (request.token or "").partition("-")
        districts = frozenset({district}) if district else None
        return Principal("staff", id="f1", permissions=frozenset(given.split("+")), districts=districts)

    house = cast("House", SimpleNamespace(payments=at.needs))
    door = edge(authenticators={"staff": who}, clock=at.clock)
    async with served([room(house, door)]) as base, client(base, token) as http:
        yield http


@asynccontextmanager
async def case_desk(made: registry.Desk, room: Room, permissions: frozenset[str]) -> AsyncIterator[httpx.AsyncClient]:
    """The token names the district; `read-` before it takes every right but reading."""

    async def who(request: Request) -> Principal | None:
        right, _, district = (request.token or "").rpartition("-")
        held = frozenset({"case.read"}) if right == "read" else permissions
        return Principal("staff", id=registry.OFFICER, permissions=held, districts=frozenset({district}))

    house = cast("House", SimpleNamespace(registry=made.needs))
    door = edge(authenticators={"staff": who}, clock=made.clock)
    async with served([room(house, door)]) as base, client(base, "320114") as http:
        yield http
