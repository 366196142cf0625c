"""The pool gives out what is alive, lets nobody wait in vain, and nobody overtake."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiomysql
import pytest

from kit.db import patches
from kit.db import pool as pools

SIZE = 4
PATIENCE_SECONDS = 60  # ends what hangs


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
    found = await asyncio.wait_for(asyncio.gather(*(_ask(pool) for _ in range(200))), PATIENCE_SECONDS)
    assert len(found) == 200
    assert len(set(found)) <= SIZE
    assert pool.size <= SIZE
    assert pool.freesize == pool.size


async def _kill(connection_id: int) -> None:
    other = await aiomysql.connect(host="127.0.0.1", port=int(os.environ["TEST_MARIADB_PORT"]), user="root")
    async with other.cursor() as cursor:
        await cursor.execute(f"KILL {connection_id}")
    other.close()


async def _queued(pool: Any, count: int) -> list["asyncio.Task[int]"]:
    """Tasks that have asked for a connection, in this order, while there is none."""
    tasks = [asyncio.create_task(_ask(pool)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


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
    await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_SECONDS)
    assert served == list(range(12))


async def test_a_connection_that_the_server_hung_up_is_not_given_out(pool: Any):
    first = await _ask(pool)
    await _kill(first)
    await pool._free[0]._reader.read()  # until the news has come
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


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_cancelled_when_it_is_their_turn_hands_it_on(pool: Any, turns: int):
    held = [await pool.acquire() for _ in range(SIZE)]
    first, second = await _queued(pool, 2)
    released = pool.release(held.pop())
    for _ in range(turns):  # the turn of the loop in which the first was told, whichever it is, is among them
        await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.wait_for(second, PATIENCE_SECONDS)
    await asyncio.gather(first, released, return_exceptions=True)
    assert pool.freesize == 1
    for connection in held:
        await pool.release(connection)
    assert pool.freesize == pool.size == SIZE


async def _closed(connection: Any) -> None:
    connection.close()


async def _hung_up(connection: Any) -> None:
    await _kill(connection.thread_id())
    await connection._reader.read()  # when the news has come


async def _left_in_a_transaction(connection: Any) -> None:
    await connection.begin()


@pytest.mark.parametrize("spoil", [_closed, _hung_up, _left_in_a_transaction])
async def test_everybody_is_served_when_connections_come_back_useless(
    pool: Any, spoil: Callable[[Any], Awaitable[None]]
):
    held = [await pool.acquire() for _ in range(SIZE)]
    known = {connection.thread_id() for connection in held}
    waiting = await _queued(pool, 10)
    await spoil(held[0])
    await pool.release(held.pop(0))
    found = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_SECONDS)
    assert known.isdisjoint(found), "they were served by a new one"
    for connection in held:
        await pool.release(connection)
    assert pool.freesize == pool.size == SIZE


@pytest.mark.parametrize("how", ["fails", "is cut off"])
async def test_a_connection_that_is_not_made_leaves_its_place_to_the_next(
    pool: Any, monkeypatch: pytest.MonkeyPatch, how: str
):
    held = [await pool.acquire() for _ in range(SIZE)]
    first, second = await _queued(pool, 2)
    real, begun = pools.connect, asyncio.Event()

    async def never_made(**_: Any) -> Any:
        monkeypatch.setattr(pools, "connect", real)
        begun.set()
        if how == "fails":
            raise OSError("no route")
        await asyncio.Event().wait()

    monkeypatch.setattr(pools, "connect", never_made)
    held[0].close()
    await pool.release(held.pop(0))
    await begun.wait()
    first.cancel()
    assert await asyncio.wait_for(second, PATIENCE_SECONDS)
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], OSError | asyncio.CancelledError)
    for connection in held:
        await pool.release(connection)
    assert pool.freesize == pool.size == SIZE


async def test_nobody_overtakes_by_asking_when_a_connection_has_just_come_back(pool: Any):
    held = [await pool.acquire() for _ in range(SIZE)]
    order: list[str] = []

    async def come(name: str) -> None:
        async with pool.acquire():
            order.append(name)

    early = asyncio.create_task(come("early"))
    await asyncio.sleep(0)
    released = pool.release(held.pop())
    late = asyncio.create_task(come("late"))
    await asyncio.wait_for(asyncio.gather(early, late, released), PATIENCE_SECONDS)
    assert order == ["early", "late"]
    for connection in held:
        await pool.release(connection)


async def test_a_pool_that_closes_waits_for_what_is_out_and_serves_who_waits(pool: Any):
    held = [await pool.acquire() for _ in range(SIZE)]
    waiting = await _queued(pool, 2)
    pool.close()
    ended = asyncio.create_task(pool.wait_closed())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="closing"):
        await pool.acquire()
    assert not ended.done()
    for connection in held:
        await pool.release(connection)
    assert await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_SECONDS)
    await asyncio.wait_for(ended, PATIENCE_SECONDS)
    assert pool.size == 0
    assert all(connection.closed for connection in held)
