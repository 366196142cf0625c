import asyncio

import pytest

from kit.db import execute, fetch, transaction, transactional
from kit.sequences.service import next_number


@transactional
async def take(district: str = "330106", period: str = "2026") -> int:
    return await next_number(kind="receipt", district=district, period=period)


async def test_counts_from_one_per_district_and_period(db: object):
    assert [await take(), await take(), await take()] == [1, 2, 3]
    assert await take(district="330105") == 1
    assert await take(period="2027") == 1
    assert await take() == 4


async def test_needs_the_transaction_that_uses_it(db: object):
    with pytest.raises(RuntimeError, match="transaction"):
        await next_number(kind="receipt", district="330106", period="2026")


async def test_is_raised_in_the_using_transaction(db: object):
    @transactional
    async def fail() -> None:
        assert await next_number(kind="receipt", district="330106", period="2026") == 2
        raise ZeroDivisionError

    assert await take() == 1
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await take() == 2


async def test_many_at_once_each_get_their_own(db: object):
    taken = await asyncio.gather(*(take() for _ in range(30)))
    assert sorted(taken) == list(range(1, 31))
    assert [row["value"] for row in await fetch("SELECT value FROM kit_sequence")] == [30]


async def test_two_numbers_in_one_transaction(db: object):
    async with transaction():
        first = await next_number(kind="a", district="330106", period="2026")
        second = await next_number(kind="a", district="330106", period="2026")
        await execute("UPDATE kit_sequence SET value = value WHERE kind = ?", ["a"])
    assert (first, second) == (1, 2)
