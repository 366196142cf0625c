import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pytest

from kit.clock import FixedClock
from kit.db import fetch, transaction
from kit.errors import OutsideError, Permanent
from kit.log import current_request_id, request_scope
from kit.outbox import Event, Handler, Outbox
from kit.outbox import claim as claims
from kit.outbox.drain import Drain, back_off
from kit.outbox.queries import parked, replay
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


Run = Callable[[Any, Any], Awaitable[None]]


class Bench:
    """An outbox with one handler and its worker, at a clock that stands still."""

    def __init__(self, run: Run) -> None:
        self.clock = FixedClock(NOON)
        self.woken = 0
        handler = Handler("test.listen", Happened, run)
        self.outbox = Outbox([handler], clock=self.clock, wake=self._wake)
        self.drain = Drain(None, [handler], self.clock)

    def _wake(self) -> None:
        self.woken += 1

    async def publish(self, thing: str, number: int, *, delay: float = 0) -> None:
        async with transaction():
            await self.outbox.publish(Happened(thing, number), delay_seconds=delay)


async def test_rows_of_one_key_are_handled_in_order_and_kept_in_history(db: Db):
    seen: list[int] = []

    async def listen(_: Any, event: Happened) -> None:
        seen.append(event.number)

    bench = Bench(listen)
    for number in range(5):
        await bench.publish("a", number)
    await bench.drain.until_idle()
    assert seen == [0, 1, 2, 3, 4]
    assert bench.woken == 5
    assert await fetch("SELECT id FROM kit_outbox") == []
    assert len(await fetch("SELECT id FROM kit_outbox_history")) == 5


async def test_a_handler_works_under_the_id_of_the_request_that_caused_it(db: Db):
    seen: list[tuple[int, str]] = []

    async def listen(_: Any, event: Happened) -> None:
        seen.append((event.number, current_request_id()))

    bench = Bench(listen)
    for number in (1, 2):
        with request_scope(f"request-{number}"):
            await bench.publish("a", number)
    await bench.drain.until_idle()
    assert seen == [(1, "request-1"), (2, "request-2")]
    assert current_request_id() == ""
    rows = await fetch("SELECT request_id FROM kit_outbox_history ORDER BY id")
    assert [row["request_id"] for row in rows] == ["request-1", "request-2"]


async def test_a_rolled_back_change_tells_nobody(db: Db):
    async def listen(_: Any, event: Happened) -> None:
        raise AssertionError(event)

    bench = Bench(listen)

    async def fail() -> None:
        async with transaction():
            await bench.outbox.publish(Happened("a", 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert bench.woken == 0
    assert await bench.drain.once() == 0


async def test_publishing_outside_a_transaction_is_refused(db: Db):
    async def listen(_: Any, event: Happened) -> None: ...

    with pytest.raises(RuntimeError, match="transaction"):
        await Bench(listen).outbox.publish(Happened("a", 1))


async def test_a_transient_failure_is_tried_again_and_its_followers_wait(db: Db):
    seen: list[tuple[str, int]] = []
    broken = [True]

    async def listen(_: Any, event: Happened) -> None:
        if broken[0] and event.thing == "a":
            raise OutsideError("bank", "DOWN", "closed", permanent=False)
        seen.append((event.thing, event.number))

    bench = Bench(listen)
    await bench.publish("a", 1)
    await bench.publish("a", 2)
    await bench.publish("b", 1)
    await bench.drain.once()
    assert seen == [("b", 1)]
    broken[0] = False
    assert await bench.drain.once() == 0, "it is not due yet"
    bench.clock.advance(seconds=2)
    await bench.drain.until_idle()
    assert seen == [("b", 1), ("a", 1), ("a", 2)]


@pytest.mark.parametrize("error", [Permanent("never"), OutsideError("bank", "NO", "never", permanent=True)])
async def test_a_permanent_failure_is_parked_until_staff_replay_it(db: Db, error: Exception):
    broken, seen = [True], list[int]()

    async def listen(_: Any, event: Happened) -> None:
        if broken[0]:
            raise error
        seen.append(event.number)

    bench = Bench(listen)
    await bench.publish("a", 1)
    await bench.publish("a", 2)
    await bench.drain.until_idle()
    (row,) = await parked()
    assert row.handler == "test.listen"
    assert "never" in row.error
    broken[0] = False
    assert await replay(row_id=row.id, now=bench.clock.now())
    assert not await replay(row_id=row.id, now=bench.clock.now())
    await bench.drain.until_idle()
    assert seen == [1, 2]


async def test_an_unknown_handler_is_parked(db: Db):
    async def listen(_: Any, event: Happened) -> None: ...

    bench = Bench(listen)
    await bench.publish("a", 1)
    await Drain(None, [], bench.clock).until_idle()
    assert [row.handler for row in await parked()] == ["test.listen"]


async def test_a_timer_waits_for_its_moment(db: Db):
    seen: list[int] = []

    async def listen(_: Any, event: Happened) -> None:
        seen.append(event.number)

    bench = Bench(listen)
    await bench.publish("a", 1, delay=60)
    await bench.drain.until_idle()
    assert seen == []
    bench.clock.advance(seconds=61)
    await bench.drain.until_idle()
    assert seen == [1]


async def test_a_dead_workers_row_is_taken_over_when_its_lease_ends(db: Db):
    seen: list[int] = []
    begun, stuck = asyncio.Event(), asyncio.Event()

    async def listen(_: Any, event: Happened) -> None:
        seen.append(event.number)
        if len(seen) == 1:
            begun.set()
            await stuck.wait()

    bench = Bench(listen)
    await bench.publish("a", 1)
    dying = asyncio.create_task(bench.drain.once())
    await begun.wait()
    assert await bench.drain.once() == 0, "it is leased"
    bench.clock.advance(seconds=61)
    assert await bench.drain.once() == 1
    stuck.set()
    await dying
    assert seen == [1, 1]
    assert len(await fetch("SELECT id FROM kit_outbox_history")) == 1


async def test_many_workers_handle_each_row_once(db: Db):
    seen: list[int] = []

    async def listen(_: Any, event: Happened) -> None:
        seen.append(event.number)

    bench = Bench(listen)
    for number in range(30):
        await bench.publish(f"k{number % 3}", number)
    others = [Drain(None, bench.drain.handlers, bench.clock) for _ in range(4)]
    for _ in range(40):
        await asyncio.gather(*(worker.once() for worker in others))
    assert sorted(seen) == list(range(30))
    for key in range(3):
        assert [n for n in seen if n % 3 == key] == sorted(n for n in seen if n % 3 == key)


async def test_a_key_that_the_column_cannot_hold_is_refused_on_every_database(db: Db):
    async def listen(_: Any, event: Happened) -> None: ...

    with pytest.raises(ValueError, match="ordering key"):
        await Bench(listen).publish("x" * 65, 1)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 0.5), (2, 1), (5, 8), (12, 600), (5000, 600)])
def test_the_wait_doubles_up_to_ten_minutes(attempts: int, seconds: float):
    assert back_off(attempts) == seconds


async def test_a_row_whose_lease_fails_leaves_the_others_finished(db: Db, monkeypatch: pytest.MonkeyPatch):
    seen: list[str] = []

    async def listen(_: Any, event: Happened) -> None:
        await asyncio.sleep(0.02)
        seen.append(event.thing)

    bench, lease = Bench(listen), claims.lease

    async def fail_for_first(row: dict[str, Any], *, now: datetime, seconds: int) -> Any:
        if '"a"' in row["payload"]:
            raise ConnectionError
        return await lease(row, now=now, seconds=seconds)

    for thing in "abc":
        await bench.publish(thing, 1)
    monkeypatch.setattr(claims, "lease", fail_for_first)
    with pytest.raises(ConnectionError):
        await bench.drain.once()
    assert sorted(seen) == ["b", "c"], "nothing goes on behind the loop's back"
