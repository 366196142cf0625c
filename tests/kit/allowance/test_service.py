import asyncio
from datetime import timedelta

import pytest

from kit.allowance.service import KEPT, forget_old, give_back, take
from kit.db import fetch, transactional
from tests.support.moments import NOON

DAY = timedelta(days=1)
MOST = 3


@transactional
async def had(*subjects: str, owner: str = "zhang", kind: str = "texts", after: timedelta = timedelta()) -> bool:
    return await take(kind=kind, owner=owner, subjects=subjects, most=MOST, within=DAY, now=NOON + after)


async def test_so_many_different_ones_and_no_more(db: object):
    assert [await had(each) for each in "abcd"] == [True, True, True, False]


async def test_what_was_had_is_no_further_one(db: object):
    assert await had("a", "b", "c")
    assert await had("a")
    assert await had("a", "b", "c")
    assert not await had("c", "d")


async def test_of_too_many_none_is_taken(db: object):
    assert not await had("a", "b", "c", "d")
    assert await had("e", "f", "g")


async def test_everybody_and_everything_is_counted_apart(db: object):
    assert await had("a", "b", "c")
    assert await had("d", owner="Zhang")
    assert await had("d", kind="people")


async def test_a_day_later_there_is_room_again(db: object):
    assert await had("a", "b")
    assert await had("c", after=timedelta(hours=23))
    assert not await had("d", after=DAY - timedelta(seconds=1))
    assert await had("d", "e", after=DAY)
    assert not await had("f", after=DAY)


async def test_one_that_is_had_again_counts_from_then(db: object):
    assert await had("a", "b", "c")
    assert await had("a", after=timedelta(hours=23))
    assert await had("d", "e", after=DAY)
    assert not await had("f", after=DAY)


async def test_given_back_is_as_if_it_had_not_been(db: object):
    assert await had("a", "b", "c")
    await give_back(kind="texts", owner="zhang", subject="b")
    assert await had("d")
    assert not await had("b")


async def test_needs_the_transaction_that_uses_it(db: object):
    with pytest.raises(RuntimeError, match="transaction"):
        await take(kind="texts", owner="zhang", subjects=["a"], most=MOST, within=DAY, now=NOON)


async def test_what_is_rolled_back_was_not_had(db: object):
    @transactional
    async def fail() -> None:
        assert await take(kind="texts", owner="zhang", subjects="abc", most=MOST, within=DAY, now=NOON)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await had("d", "e", "f")


async def test_of_many_at_once_exactly_so_many(db: object):
    done = await asyncio.gather(*(had(f"{place}") for place in range(20)))
    assert done.count(True) == MOST


async def test_nothing_is_kept_longer_than_a_week(db: object):
    await had("a")
    assert await forget_old(now=NOON + KEPT) == 0
    assert await forget_old(now=NOON + KEPT + timedelta(seconds=1)) == 2
    assert await fetch("SELECT id FROM kit_allowance") == []
