import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kit.clock import SystemClock
from kit.db import transaction
from kit.outbox import Event, Handler, Outbox
from kit.outbox.drain import Drain
from kit.outbox.wake import Alarm, Waker
from tests.conftest import Db

POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Happened(Event):
    name: ClassVar[str] = "test.happened"
    thing: str

    @property
    def ordering_key(self) -> str:
        return self.thing


@pytest.fixture
async def alarm(tmp_path: Path) -> AsyncIterator[Alarm]:
    found = Alarm()
    transport = await found.listen(tmp_path / "run" / "wake")
    yield found
    transport.close()
    await asyncio.sleep(0)


@pytest.fixture
async def waker(tmp_path: Path) -> AsyncIterator[Waker]:
    found = Waker(tmp_path / "run" / "wake")
    yield found
    found.close()


async def _waited(alarm: Alarm, seconds: float = POLL_SECONDS) -> float:
    started = time.monotonic()
    await alarm.wait(seconds)
    return time.monotonic() - started


async def test_a_commit_wakes_the_worker_long_before_its_poll(db: Db, alarm: Alarm, waker: Waker):
    handled = asyncio.Event()

    async def listen(_: Any, __: Happened) -> None:
        handled.set()

    handler = Handler("test.listen", Happened, listen)
    outbox, drain = Outbox([handler], clock=SystemClock(), wake=waker), Drain(None, [handler], SystemClock())

    async def work() -> None:
        while not handled.is_set():
            if await drain.once() == 0:
                await alarm.wait(POLL_SECONDS)

    working = asyncio.create_task(work())
    await asyncio.sleep(0.1)
    started = time.monotonic()
    async with transaction():
        await outbox.publish(Happened("a"))
    await handled.wait()
    assert time.monotonic() - started < POLL_SECONDS / 5
    await working


async def test_a_call_before_the_wait_is_not_lost(alarm: Alarm, waker: Waker):
    waker()
    await asyncio.sleep(0.05)
    assert await _waited(alarm) < 1
    assert await _waited(alarm, 0.05) >= 0.05, "one call wakes once"


async def test_a_worker_that_starts_again_takes_the_address_over(tmp_path: Path, alarm: Alarm, waker: Waker):
    successor = Alarm()
    transport = await successor.listen(tmp_path / "run" / "wake")
    waker()
    assert await _waited(successor) < 1
    transport.close()
    await asyncio.sleep(0)


async def test_nobody_listening_disturbs_nobody(tmp_path: Path):
    waker = Waker(tmp_path / "nobody")
    waker()
    waker.close()
    Waker(None)()


async def test_a_flood_of_calls_blocks_nobody(alarm: Alarm, waker: Waker):
    started = time.monotonic()
    for _ in range(5000):
        waker()
    assert time.monotonic() - started < 1
    assert await _waited(alarm) < 1


async def test_ringing_from_inside_wakes_too(alarm: Alarm):
    asyncio.get_running_loop().call_later(0.05, alarm.ring)
    assert await _waited(alarm) < 1
