"""What arrives together is kept together, and everybody hears of their own message only."""

import asyncio

import pytest

from kit.db import execute, fetch, transaction
from tests.conftest import Db
from tests.kit.inbox.test_service import Arrived, Bench


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


async def test_large_messages_do_not_make_one_statement_too_large(db: Db):
    bench = Bench()
    body = b"x" * 400_000  # forty of them in one statement are more than MariaDB takes by default
    kept = await asyncio.gather(*(bench.receive(f"n{number}", body=body) for number in range(40)))
    assert kept == [True] * 40
    assert len(await _kept()) == 40


@pytest.mark.parametrize("bad", ["\ud800", "key"])
async def test_one_that_cannot_be_kept_fails_alone(db: Db, bad: str):
    bench = Bench()
    announce = None if bad != "key" else (lambda inbox_id: Arrived(inbox_id, "k" * 65))
    spoilt = bench.receive(bad, announce=announce)
    told = await asyncio.gather(
        *(bench.receive(f"n{number}") for number in range(3)), spoilt, bench.receive("n3"), return_exceptions=True
    )
    assert [told[0], told[1], told[2], told[4]] == [True] * 4
    assert isinstance(told[3], ValueError)
    assert await _kept() == {"n0", "n1", "n2", "n3"}
    assert len(await fetch("SELECT id FROM kit_outbox")) == 4


async def test_a_database_that_goes_while_each_is_kept_alone_leaves_nobody_waiting(
    db: Db, monkeypatch: pytest.MonkeyPatch
):
    bench = Bench()
    await bench.receive("n1")

    def gone(**_: object) -> object:
        raise OSError("no database")

    with monkeypatch.context() as broken:
        broken.setattr("kit.inbox.gathering.InboxMessage.filter", gone)
        async with asyncio.timeout(10):
            told = await asyncio.gather(*(bench.receive(f"n{number}") for number in range(4)), return_exceptions=True)
    assert told[0] is True
    assert isinstance(told[1], OSError)
    assert all(isinstance(each, OSError | bool) for each in told)
    again = [await bench.receive(f"n{number}") for number in range(4)]
    assert again == [number != 1 and told[number] is not True for number in range(4)], (
        "who was told of a failure asks again"
    )


@pytest.mark.parametrize("moment", ["together", "alone"])
async def test_the_end_of_the_process_is_told_to_all_at_any_moment(
    db: Db, monkeypatch: pytest.MonkeyPatch, moment: str
):
    bench = Bench()
    await bench.receive("n0")
    begun, seen = asyncio.Event(), [0]

    async def slow(sql: str, params: list[object]) -> int:
        seen[0] += 1
        if moment == "alone" and seen[0] == 1:
            return await execute(sql, params)
        begun.set()
        await asyncio.sleep(60)
        return 0

    monkeypatch.setattr("kit.inbox.gathering.execute", slow)
    waiting = asyncio.gather(*(bench.receive(f"n{number}") for number in range(3)), return_exceptions=True)
    await begun.wait()
    keeping = bench.inbox._keeping
    assert keeping is not None
    keeping.cancel()
    async with asyncio.timeout(10):
        assert [type(each) for each in await waiting] == [ConnectionAbortedError] * 3
