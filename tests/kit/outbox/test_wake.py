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

POLL_SECONDS = 600.0
"""Longer than any test may last: what comes earlier was woken."""
GUARD_SECONDS = 60.0


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


async def _woken(alarm: Alarm) -> bool:
    try:
        await asyncio.wait_for(alarm.wait(POLL_SECONDS), GUARD_SECONDS)
    except TimeoutError:
        return False
    return True


async def _waited(alarm: Alarm, seconds: float) -> float:
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
    async with transaction():
        await outbox.publish(Happened("a"))
    await asyncio.wait_for(working, GUARD_SECONDS)
    assert handled.is_set()


async def test_a_call_before_the_wait_is_not_lost(alarm: Alarm, waker: Waker):
    waker()
    await asyncio.sleep(0.05)
    assert await _woken(alarm)
    assert await _waited(alarm, 0.05) >= 0.05, "one call wakes once"


async def test_a_worker_that_starts_again_takes_the_address_over(tmp_path: Path, alarm: Alarm, waker: Waker):
    successor = Alarm()
    transport = await successor.listen(tmp_path / "run" / "wake")
    waker()
    assert await _woken(successor)
    transport.close()
    await asyncio.sleep(0)


async def test_nobody_listening_disturbs_nobody(tmp_path: Path):
    path = tmp_path / "run" / "wake"
    path.parent.mkdir()
    waker = Waker(path)
    waker()
    Waker(None)()
    late = Alarm()
    transport = await late.listen(path)
    waker()
    assert await _woken(late), "who comes later is heard by the same waker"
    waker.close()
    transport.close()
    await asyncio.sleep(0)


async def test_a_flood_of_calls_blocks_nobody(alarm: Alarm, waker: Waker):
    for _ in range(5000):
        waker()  # the test would not end if the socket blocked once its buffer is full
    assert await _woken(alarm)


async def test_ringing_from_inside_wakes_too(alarm: Alarm):
    asyncio.get_running_loop().call_later(0.05, alarm.ring)
    assert await _woken(alarm)
