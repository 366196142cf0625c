"""Three hundred people want thirty places in the same moment, and one of the two servers dies half-way."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from bench.rows import sign_in
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db.connection import credentials, database
from sandbox.run.installation import free_ports
from server.database import APPS
from server.settings import read
from tests.journeys.city import Build, City

PEOPLE, PLACES, LATECOMERS = 300, 30, 30
_BUSINESS = "TRANSFER_RESALE"
_BOOK = "/api/v1/appointments"
_PATIENCE_SECONDS = 120.0
_LIVE = "state IN ('held', 'booked')"


@pytest.fixture
def city(build: Build) -> Iterator[City]:
    with build("mariadb") as found:
        yield found


@dataclass
class Rush:
    """What everybody was answered, while the first server freezes at half of the places and then dies.

    It is frozen before it is killed, and the last people, whose connections it has taken before, ask it only then: so
    that, on any machine, somebody waits for the server that dies, besides all whom it happened to be serving.
    """

    city: City
    urls: tuple[str, str]
    held: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unanswered: int = 0
    waiting: int = 0
    frozen: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, tokens: list[str], slot_id: str) -> None:
        async with (
            _client(self.urls[0]) as first,
            _client(self.urls[1]) as second,
            contextlib.AsyncExitStack() as connected,
        ):
            doors = (first, second)
            late = [(await self._connected(connected), token) for token in tokens[-LATECOMERS:]]
            await asyncio.gather(
                self._strike(slot_id),
                *(
                    self._wish(doors[serial % 2], second, token, slot_id)
                    for serial, token in enumerate(tokens[:-LATECOMERS])
                ),
                *(self._come_late(own, second, token, slot_id) for own, token in late),
            )

    async def _connected(self, stack: contextlib.AsyncExitStack) -> httpx.AsyncClient:
        """A connection that the first server has taken: it would take none any more once it is frozen."""
        door = await stack.enter_async_context(_client(self.urls[0]))
        assert (await door.get("/healthz")).status_code == 200
        return door

    async def _come_late(self, door: httpx.AsyncClient, other: httpx.AsyncClient, token: str, slot_id: str) -> None:
        await self.frozen.wait()
        await self._wish(door, other, token, slot_id, trace=self._asked)

    async def _asked(self, event: str, _info: object) -> None:
        self.waiting += event == "http11.send_request_body.complete"

    async def _wish(
        self, door: httpx.AsyncClient, other: httpx.AsyncClient, token: str, slot_id: str, **extensions: Any
    ) -> None:
        """Ask until there is an answer, at the other server after the first has gone, under the same key."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"rush-{token[:40]}"}
        wanted = {"slot_id": slot_id, "business_type": _BUSINESS}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = await door.post(_BOOK, json=wanted, headers=headers, extensions=extensions)
            except httpx.TransportError:
                self.unanswered += 1
                door = other
                continue
            if answer.status_code == 201:
                self.held[token] = answer.json()["id"]
            else:
                self.refused.append(answer.json()["code"])
            return
        pytest.fail("somebody was never answered")

    async def _strike(self, slot_id: str) -> None:
        await self._until(lambda: _booked(self.city, slot_id) >= PLACES // 2)
        os.kill(self.city.pids["server"], signal.SIGSTOP)
        self.frozen.set()
        await self._until(lambda: self.waiting >= LATECOMERS)
        await asyncio.to_thread(self.city.kill, "server")

    async def _until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not await asyncio.to_thread(reached):
            assert time.monotonic() < deadline, self.city.last_words("server")
            await asyncio.sleep(0.002)


def _client(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=PEOPLE, keepalive_expiry=None)
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=_PATIENCE_SECONDS, trust_env=False)


def _second_server(city: City) -> str:
    """Another process on the same database, at a port of its own."""
    port = free_ports()[0]
    city._start("second", "serve", YICHUANG_HTTP__PORT=str(port))
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return url
        except httpx.HTTPError:
            assert city.running("second"), city.last_words("second")
            assert time.monotonic() < deadline, city.last_words("second")
            time.sleep(0.02)


async def _crowd(city: City) -> list[str]:
    cipher = Cipher(load_key_ring(read(city.house.settings_file).crypto.keys_directory))
    async with database(credentials(city.database_url), APPS):
        return [each.token for each in await sign_in(cipher, count=PEOPLE)]


def _slot(city: City) -> str:
    """The last slot of the last day, with thirty places."""
    (row,) = city.rows(
        "SELECT s.id FROM appointments_slot s JOIN appointments_office o ON o.id = s.office_id "
        "WHERE o.district = '320114' AND s.business_group = 'transfer' ORDER BY s.starts_at DESC LIMIT 1"
    )
    city.rows("UPDATE appointments_slot SET capacity = ? WHERE id = ?", PLACES, row["id"])
    return str(row["id"])


def _confirm(url: str, held: dict[str, str]) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=_PATIENCE_SECONDS) as http:
        for token, booking_id in held.items():
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"confirm-{booking_id}"}
            answer = http.post(f"{_BOOK}/{booking_id}/confirmation", json={}, headers=headers)
            assert (answer.status_code, answer.json()["state"]) == (200, "booked"), answer.text


def _booked(city: City, slot_id: str) -> int:
    return int(city.rows("SELECT booked FROM appointments_slot WHERE id = ?", slot_id)[0]["booked"])


def test_three_hundred_at_thirty_places(city: City):
    second = _second_server(city)
    tokens, slot_id = asyncio.run(_crowd(city)), _slot(city)
    rush = Rush(city, (city.url, second))
    asyncio.run(rush.run(tokens, slot_id))

    assert not city.running("server")
    assert rush.unanswered >= LATECOMERS, "the server died when nobody waited for it"
    assert len(rush.held) == PLACES
    assert (len(rush.refused), set(rush.refused)) == (PEOPLE - PLACES, {"SLOT_FULL"})
    rows = city.rows("SELECT id, resident_id, state FROM appointments_booking")
    assert sorted(row["id"] for row in rows) == sorted(rush.held.values())
    assert len({row["resident_id"] for row in rows}) == PLACES
    assert city.count("appointments_booking", f"slot_id = ? AND {_LIVE}", slot_id) == _booked(city, slot_id) == PLACES

    half = dict(list(rush.held.items())[: PLACES // 2])
    _confirm(second, half)
    numbers = city.rows("SELECT number FROM appointments_booking WHERE state = 'booked'")
    assert len({row["number"] for row in numbers}) == len(half)
    city.move_clock(301)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while city.count("appointments_booking", "state = 'held'"):
        assert time.monotonic() < deadline, city.last_words("worker")
        time.sleep(0.05)
    assert city.count("appointments_booking", _LIVE) == _booked(city, slot_id) == len(half)
    assert city.count("appointments_booking", "state = 'expired' AND active_key IS NULL") == PLACES - len(half)
