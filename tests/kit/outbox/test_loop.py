import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from kit.clock import FixedClock
from kit.db import fetch, transaction
from kit.errors import OutsideError, Permanent
from kit.outbox import Event, Handler, Outbox
from kit.outbox import claim as claims
from kit.outbox.drain import Drain
from kit.outbox.loop import Loop
from kit.outbox.queries import counts, oldest_due_seconds
from kit.outbox.wake import Alarm
from tests.conftest import Db
from tests.support.moments import NOON


@dataclass(frozen=True, slots=True)
class Happened(Event):
    name: ClassVar[str] = "test.happened"
    thing: str
    number: int

    @property
    def ordering_key(self) -> str:
        return self.thing


@dataclass
class Works:
    """A worker of two slots whose handler waits for a gate of its thing, where there is one."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    alarm: Alarm = field(default_factory=Alarm)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    begun: list[tuple[str, int]] = field(default_factory=list)
    ended: list[tuple[str, int]] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        handler = Handler("test.listen", Happened, self._listen)
        self.outbox = Outbox([handler], clock=self.clock, wake=self.alarm.ring)
        self.drain = Drain(None, [handler], self.clock, concurrency=2)

    async def _listen(self, _: Any, event: Happened) -> None:
        self.begun.append((event.thing, event.number))
        self.most_at_once = max(self.most_at_once, len(self.begun) - len(self.ended))
        if gate := self.gates.get(event.thing):
            await gate.wait()
        self.ended.append((event.thing, event.number))
        if error := self.errors.get(event.thing):
            raise error

    async def publish(self, thing: str, number: int = 1) -> None:
        async with transaction():
            await self.outbox.publish(Happened(thing, number))

    @asynccontextmanager
    async def working(self, *, poll_seconds: float = 0.05) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(Loop(self.drain, self.alarm, poll_seconds=poll_seconds).run(self.stop))
        try:
            yield task
        finally:
            for gate in self.gates.values():
                gate.set()
            self.end()
            await asyncio.wait_for(task, timeout=60)

    def end(self) -> None:
        self.stop.set()
        self.alarm.ring()


async def _until(fact: Callable[[], object | Awaitable[object]]) -> None:
    async with asyncio.timeout(60):
        while True:
            found = fact()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.005)


async def test_a_slow_handler_holds_up_nobody_elses_row(db: Db):
    works = Works(gates={"slow": asyncio.Event()})
    await works.publish("slow")
    for number in range(10):
        await works.publish(f"quick{number % 3}", number)
    async with works.working():
        await _until(lambda: len(works.ended) == 10)
        assert works.begun[0] == ("slow", 1)
        assert ("slow", 1) not in works.ended
        assert works.most_at_once == 2
    assert works.ended[-1] == ("slow", 1)
    assert len(await fetch("SELECT id FROM kit_outbox_history")) == 11


async def test_rows_of_one_key_are_handled_one_after_the_other(db: Db):
    works = Works(gates={"a": asyncio.Event()})
    for number in range(4):
        await works.publish("a", number)
    async with works.working():
        await _until(lambda: works.begun)
        await asyncio.sleep(0.2)
        assert works.begun == [("a", 0)]
        works.gates["a"].set()
        await _until(lambda: len(works.ended) == 4)
    assert works.ended == [("a", number) for number in range(4)]
    assert works.most_at_once == 1


async def test_what_is_in_hand_when_told_to_stop_is_finished_and_nothing_new_begun(db: Db):
    works = Works(gates={"a": asyncio.Event(), "b": asyncio.Event()})
    for thing in "abc":
        await works.publish(thing)
    async with works.working() as task:
        await _until(lambda: len(works.begun) == 2)
        works.end()
        await asyncio.sleep(0.1)
        assert not task.done()
        for gate in works.gates.values():
            gate.set()
        await task
    assert {thing for thing, _ in works.ended} == {"a", "b"}
    assert await counts() == {"pending": 1, "leased": 0, "parked": 0}


async def test_a_row_in_hand_beyond_its_lease_is_not_begun_again_by_the_same_worker(db: Db):
    works = Works(gates={"a": asyncio.Event()})
    await works.publish("a")
    async with works.working():
        await _until(lambda: works.begun)
        works.clock.advance(seconds=3600)
        await works.publish("b")
        await _until(lambda: works.ended == [("b", 1)])
        await asyncio.sleep(0.2)
        assert works.begun == [("a", 1), ("b", 1)]


async def test_a_row_published_while_it_works_is_taken_at_once(db: Db):
    works = Works()
    async with works.working(poll_seconds=3600):  # only the alarm can tell it in time
        for number in range(3):
            await works.publish("a", number)
            await _until(lambda number=number: works.ended[-1:] == [("a", number)])
    assert works.ended == [("a", number) for number in range(3)]


@pytest.mark.parametrize("broken", ["candidates", "lease"])
async def test_it_goes_on_after_the_database_failed_it(db: Db, broken: str, monkeypatch: pytest.MonkeyPatch):
    works, real, left = Works(), getattr(claims, broken), [2]
    monkeypatch.setattr("kit.outbox.loop.FAILED_SECONDS", 0.01)

    async def fail_twice(*args: Any, **kwargs: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise ConnectionError
        return await real(*args, **kwargs)

    monkeypatch.setattr(claims, broken, fail_twice)
    for thing in "abc":
        await works.publish(thing)
    async with works.working():
        await _until(lambda: len(works.ended) == 3)
    assert left == [0]


async def test_a_row_whose_end_cannot_be_written_is_handled_again_after_its_lease(
    db: Db, monkeypatch: pytest.MonkeyPatch
):
    works, finish, left = Works(), claims.finish, [1]

    async def fail_once(*args: Any, **kwargs: Any) -> bool:
        if left[0]:
            left[0] -= 1
            raise ConnectionError
        return await finish(*args, **kwargs)

    monkeypatch.setattr(claims, "finish", fail_once)
    await works.publish("a")
    async with works.working():
        await _until(lambda: left == [0])
        works.clock.advance(seconds=61)
        await _until(lambda: len(works.ended) == 2)
    assert await counts() == {"pending": 0, "leased": 0, "parked": 0}


async def test_a_row_put_back_for_later_is_not_leased_by_who_found_it_before(db: Db):
    works = Works(errors={"a": OutsideError("bank", "DOWN", "closed", permanent=False)})
    await works.publish("a")
    (found,) = await works.drain.due()
    await works.drain.once()
    assert await works.drain.lease(found) is None
    works.clock.advance(seconds=1)
    assert await works.drain.lease(found) is not None


async def test_the_numbers_an_operator_watches(db: Db):
    works = Works(errors={"bad": Permanent("never")})
    assert await counts() == {"pending": 0, "leased": 0, "parked": 0}
    assert await oldest_due_seconds(now=works.clock.now()) == 0
    await works.publish("bad")
    await works.drain.once()
    assert await oldest_due_seconds(now=works.clock.now() + timedelta(hours=1)) == 0, "a parked row waits for staff"
    await works.publish("a")
    works.clock.advance(seconds=90)
    assert await oldest_due_seconds(now=works.clock.now()) == 90
    assert await counts() == {"pending": 1, "leased": 0, "parked": 1}
