"""What arrives together is kept together, and everybody hears of their own message only."""

import asyncio

import pytest

from kit.db import execute, fetch, transaction
from tests.conftest import Db
from tests.kit.inbox.test_service import Bench


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The inserts into the inbox, as they are sent."""
    sent: list[str] = []

    async def noted(sql: str, params: list[object]) -> int:
        sent.append(sql)
        return await execute(sql, params)

    monkeypatch.setattr("kit.inbox.gathering.execute", noted)
    return sent


async def _kept() -> set[str]:
    return {row["external_id"] for row in await fetch("SELECT external_id FROM kit_inbox")}


async def test_a_burst_takes_few_transactions(db: Db, statements: list[str]):
    bench = Bench()
    kept = await asyncio.gather(*(bench.receive(f"n{number}") for number in range(100)))
    assert kept == [True] * 100
    assert len(await _kept()) == 100
    assert len(await fetch("SELECT id FROM kit_outbox")) == 100
    assert len(statements) <= 3


async def test_one_known_before_spoils_nothing_for_the_others(db: Db):
    bench = Bench()
    await bench.receive("n3")
    kept = await asyncio.gather(*(bench.receive(f"n{number}") for number in range(8)))
    assert kept == [number != 3 for number in range(8)]
    assert len(await fetch("SELECT id FROM kit_outbox")) == 8


async def test_who_hangs_up_takes_no_message_along(db: Db):
    bench = Bench()
    tasks = [asyncio.create_task(bench.receive(f"n{number}")) for number in range(6)]
    await asyncio.sleep(0)
    for task in tasks[:3]:
        task.cancel()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert told[3:] == [True, True, True]
    assert all(isinstance(each, asyncio.CancelledError) for each in told[:3])
    assert await _kept() == {f"n{number}" for number in range(6)}


async def test_a_database_that_fails_is_told_to_all_and_forgotten(db: Db, monkeypatch: pytest.MonkeyPatch):
    bench = Bench()

    async def down(*_: object) -> int:
        raise OSError("no database")

    with monkeypatch.context() as broken:
        broken.setattr("kit.inbox.gathering.execute", down)
        told = await asyncio.gather(*(bench.receive(f"n{number}") for number in range(5)), return_exceptions=True)
    assert [type(each) for each in told] == [OSError] * 5
    assert await _kept() == set()
    assert await bench.receive("n1")


async def test_a_receivers_own_transaction_is_refused(db: Db):
    async with transaction():
        with pytest.raises(RuntimeError, match="never in its receiver's"):
            await Bench().receive("n1")


async def test_when_the_process_ends_nobody_is_left_waiting(db: Db, monkeypatch: pytest.MonkeyPatch):
    bench = Bench()
    begun = asyncio.Event()

    async def slow(*_: object) -> int:
        begun.set()
        await asyncio.sleep(60)
        return 0

    monkeypatch.setattr("kit.inbox.gathering.execute", slow)
    waiting = asyncio.gather(*(bench.receive(f"n{number}") for number in range(3)), return_exceptions=True)
    await begun.wait()
    keeping = bench.inbox._keeping
    assert keeping is not None
    keeping.cancel()
    told = await waiting
    assert [type(each) for each in told] == [ConnectionAbortedError] * 3
