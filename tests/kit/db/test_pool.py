"""The pool gives out what is alive, lets nobody wait in vain, and nobody overtake."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import aiomysql
import pytest

from kit.db import patches

SIZE = 4


@pytest.fixture
async def pool() -> AsyncIterator[Any]:
    patches.apply()
    port = int(os.environ["TEST_MARIADB_PORT"])
    made = await aiomysql.create_pool(host="127.0.0.1", port=port, user="root", minsize=1, maxsize=SIZE)
    yield made
    made.close()
    await made.wait_closed()


async def _ask(pool: Any, statement: str = "SELECT CONNECTION_ID()") -> int:
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(statement)
        row = await cursor.fetchone()
        return int(row[0])


async def test_never_more_connections_than_allowed_and_nobody_waits_for_ever(pool: Any):
    found = await asyncio.wait_for(asyncio.gather(*(_ask(pool) for _ in range(200))), 20)
    assert len(found) == 200
    assert len(set(found)) <= SIZE
    assert pool.size <= SIZE
    assert pool.freesize == pool.size


async def test_who_came_first_is_served_first(pool: Any):
    held = [await pool.acquire() for _ in range(SIZE)]
    served: list[int] = []

    async def come(number: int) -> None:
        async with pool.acquire():
            served.append(number)
            await asyncio.sleep(0)

    waiting = [asyncio.create_task(come(number)) for number in range(12)]
    await asyncio.sleep(0.01)
    for connection in held:
        await pool.release(connection)
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert served == list(range(12))


async def test_a_connection_that_the_server_hung_up_is_not_given_out(pool: Any):
    first = await _ask(pool)
    other = await aiomysql.connect(host="127.0.0.1", port=int(os.environ["TEST_MARIADB_PORT"]), user="root")
    async with other.cursor() as cursor:
        await cursor.execute(f"KILL {first}")
    other.close()
    await asyncio.sleep(0.05)
    assert await _ask(pool) != first
    assert pool.freesize == pool.size == 1


async def test_a_connection_given_back_in_a_transaction_is_not_given_out(pool: Any):
    connection = await pool.acquire()
    await connection.begin()
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
    await pool.release(connection)
    assert connection.closed
    assert pool.freesize == 0
