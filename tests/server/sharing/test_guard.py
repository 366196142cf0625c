import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from server.sharing.guard import SourceGuard
from server.sharing.rules import Breaker
from tests.support.moments import NOON

Question = Callable[[], Awaitable[str]]


async def yes() -> str:
    return "yes"


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


def refusing(*, permanent: bool) -> Question:
    async def refuse() -> str:
        raise OutsideError("hub", "HTTP_422" if permanent else "HTTP_503", "no", permanent=permanent)

    return refuse


async def code_of(guard: SourceGuard, question: Question) -> str:
    with pytest.raises(OutsideError) as refused:
        await guard.ask(question)
    assert refused.value.permanent is (refused.value.code == "HTTP_422")
    return refused.value.code


async def test_a_source_that_is_down_is_not_asked_until_the_pause_is_over():
    clock = FixedClock(NOON)
    guard = SourceGuard("marriage", clock)
    down = refusing(permanent=False)
    assert [await code_of(guard, down) for _ in range(4)] == ["HTTP_503"] * 3 + ["LEFT_ALONE"]
    assert guard.state is Breaker.OPEN
    assert await code_of(guard, yes) == "LEFT_ALONE"
    clock.advance(seconds=30)
    assert guard.state is Breaker.HALF_OPEN
    assert await guard.ask(yes) == "yes"
    assert guard.state is Breaker.CLOSED


async def test_a_failed_trial_leaves_it_alone_again():
    clock = FixedClock(NOON)
    guard = SourceGuard("marriage", clock)
    for _ in range(3):
        await code_of(guard, refusing(permanent=False))
    clock.advance(seconds=30)
    assert await code_of(guard, refusing(permanent=False)) == "HTTP_503"
    assert await code_of(guard, yes) == "LEFT_ALONE"


async def test_a_refused_question_says_that_the_source_is_there():
    guard = SourceGuard("marriage", FixedClock(NOON))
    for _ in range(5):
        assert await code_of(guard, refusing(permanent=True)) == "HTTP_422"
    assert guard.state is Breaker.CLOSED


async def test_silence_is_cut_short_and_counts():
    guard = SourceGuard("marriage", FixedClock(NOON), seconds=0.01)
    assert [await code_of(guard, never) for _ in range(3)] == ["TIMEOUT"] * 3
    assert guard.state is Breaker.OPEN


async def test_who_stops_waiting_counts_for_nothing_and_frees_the_trial():
    clock = FixedClock(NOON)
    guard = SourceGuard("marriage", clock)
    for _ in range(3):
        await code_of(guard, refusing(permanent=False))
    clock.advance(seconds=30)
    task = asyncio.create_task(guard.ask(never))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await code_of(guard, yes) == "LEFT_ALONE"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await guard.ask(yes) == "yes"


async def test_no_more_than_so_many_at_once():
    guard = SourceGuard("marriage", FixedClock(NOON), seconds=60, at_once=2)
    most, now = 0, 0

    async def slowly() -> str:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return "yes"

    assert await asyncio.gather(*(guard.ask(slowly) for _ in range(6))) == ["yes"] * 6
    assert most == 2
    waiting = [asyncio.create_task(guard.ask(never)) for _ in range(2)]
    await asyncio.sleep(0)
    guard._seconds = 0.05
    assert await code_of(guard, yes) == "TOO_MANY_AT_ONCE"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert guard.state is Breaker.CLOSED
