import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiomysql
import pymysql
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from kit.db import after_commit, execute, fetch, in_transaction, transaction, transactional
from kit.db.transaction import ATTEMPTS, is_transient
from tests.conftest import Db
from tests.support.moments import NOON

INSERT = "INSERT INTO kit_heartbeat (name, at) VALUES (?, ?)"
TOUCH = "UPDATE kit_heartbeat SET at = ? WHERE name = ?"


async def _names() -> list[str]:
    return [row["name"] for row in await fetch("SELECT name FROM kit_heartbeat ORDER BY name")]


class Crossing:
    """Two commands that take the same two rows in opposite order."""

    def __init__(self) -> None:
        self.runs = 0
        self.both_hold = asyncio.Barrier(2)

    @transactional
    async def take(self, first: str, second: str) -> None:
        self.runs += 1
        await execute(TOUCH, [NOON, first])
        if self.runs <= 2:
            await self.both_hold.wait()
        await execute(TOUCH, [NOON, second])
        await execute(INSERT, [f"done-{first}", NOON])


async def test_a_deadlock_is_tried_again(db: Db):
    if db.dialect == "sqlite":  # one writer at a time: there is nothing to cross
        return
    for name in ("a", "b"):
        await execute(INSERT, [name, NOON])
    crossing = Crossing()
    async with asyncio.timeout(60):
        await asyncio.gather(crossing.take("a", "b"), crossing.take("b", "a"))
    assert crossing.runs == 3
    assert await _names() == ["a", "b", "done-a", "done-b"]


@contextmanager
def _locked(db: Db) -> Iterator[sqlite3.Connection]:
    """Another process's write transaction, as far as SQLite can tell."""
    path = Path(db.url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        if other.in_transaction:
            other.rollback()


async def test_a_busy_database_is_tried_again(db: Db):
    if db.dialect != "sqlite":
        return
    await execute("PRAGMA busy_timeout = 20")
    with _locked(db) as other:
        asyncio.get_running_loop().call_later(0.15, other.rollback)
        command = transactional(lambda: execute(INSERT, ["a", NOON]))
        started = time.monotonic()
        assert await command() == 1
    assert time.monotonic() - started > 0.1
    assert await _names() == ["a"]


async def test_a_database_that_stays_busy_is_given_up_and_usable_later(db: Db):
    if db.dialect != "sqlite":
        return
    await execute("PRAGMA busy_timeout = 1")
    command = transactional(lambda: execute(INSERT, ["a", NOON]))
    with _locked(db), pytest.raises(OperationalError, match="locked"):
        await command()
    assert await command() == 1


async def test_a_lock_that_is_held_too_long_is_tried_again(db: Db):
    if db.dialect == "sqlite":
        return
    await execute(INSERT, ["a", NOON])
    runs, holds, may_end = [0], asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with transaction():
            await execute(TOUCH, [NOON, "a"])
            holds.set()
            await may_end.wait()

    @transactional
    async def take() -> None:
        runs[0] += 1
        await execute("SET innodb_lock_wait_timeout = 1")
        if runs[0] == 2:
            may_end.set()
        await execute(TOUCH, [NOON, "a"])

    holding = asyncio.create_task(hold())
    await holds.wait()
    await take()
    await holding
    assert runs == [2]


@pytest.mark.parametrize("error", [RuntimeError("broken"), ValueError("database is locked"), KeyError("x")])
async def test_another_error_is_not_tried_again(db: Db, error: Exception):
    runs = [0]

    @transactional
    async def fail() -> None:
        runs[0] += 1
        await execute(INSERT, [f"n{runs[0]}", NOON])
        raise error

    with pytest.raises(type(error)):
        await fail()
    assert runs == [1]
    assert await _names() == []


async def test_a_broken_constraint_is_not_tried_again(db: Db):
    runs = [0]

    @transactional
    async def twice() -> None:
        runs[0] += 1
        await execute(INSERT, ["a", NOON])
        await execute(INSERT, ["a", NOON])

    with pytest.raises(IntegrityError):
        await twice()
    assert runs == [1]


async def test_an_error_that_stays_is_given_up(db: Db, monkeypatch: pytest.MonkeyPatch):
    runs = [0]

    async def at_once(_: float) -> None: ...

    @transactional
    async def never() -> None:
        runs[0] += 1
        raise pymysql.err.OperationalError(1213, "Deadlock found")

    monkeypatch.setattr(asyncio, "sleep", at_once)
    with pytest.raises(pymysql.err.OperationalError):
        await never()
    assert runs == [ATTEMPTS]


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (OperationalError(pymysql.err.OperationalError(1213, "Deadlock")), True),
        (pymysql.err.InternalError(1205, "Lock wait timeout"), True),
        (pymysql.err.OperationalError(2013, "Lost connection"), True),
        (pymysql.err.OperationalError(1064, "syntax"), False),
        (pymysql.err.InterfaceError(), False),
        (OperationalError(sqlite3.OperationalError("database is locked")), True),
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("no such table: x"), False),
        (OperationalError(), False),
        (RuntimeError("database is locked"), False),
    ],
)
def test_what_is_worth_repeating(error: Exception, *, transient: bool):
    assert is_transient(error) is transient


async def test_what_waits_for_the_commit_runs_once_after_it(db: Db):
    seen: list[list[str]] = []

    def note() -> None:
        assert not in_transaction()
        seen.append(["called"])

    async with transaction():
        after_commit(note)
        after_commit(note)
        await execute(INSERT, ["a", NOON])
        assert seen == []
    assert seen == [["called"]]


async def test_nothing_runs_after_a_rollback(db: Db):
    seen: list[int] = []

    @transactional
    async def fail() -> None:
        after_commit(lambda: seen.append(1))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert seen == []


async def test_a_second_attempt_does_not_repeat_the_first_ones_calls(db: Db):
    seen: list[int] = []
    runs = [0]

    @transactional
    async def once_more() -> None:
        runs[0] += 1
        number = runs[0]
        after_commit(lambda: seen.append(number))
        if number == 1:
            raise pymysql.err.OperationalError(1213, "Deadlock found")

    await once_more()
    assert seen == [2]


async def test_waiting_for_a_commit_needs_a_transaction(db: Db):
    with pytest.raises(RuntimeError, match="open transaction"):
        after_commit(lambda: None)


async def test_a_task_started_inside_is_outside_once_the_transaction_is_closed(db: Db):
    closed = asyncio.Event()

    async def later() -> bool:
        await closed.wait()
        with pytest.raises(RuntimeError, match="open transaction"):
            after_commit(lambda: None)
        return in_transaction()

    async with transaction():
        assert in_transaction()
        task = asyncio.create_task(later())
    closed.set()
    assert await task is False


@pytest.mark.parametrize("code", [2006, 2013])
async def test_a_commit_whose_answer_is_lost_is_not_done_twice(db: Db, monkeypatch: pytest.MonkeyPatch, code: int):
    if db.dialect == "sqlite":  # it has no answer that could be lost
        return
    runs = [0]
    commit = aiomysql.Connection.commit

    async def lost(self: aiomysql.Connection) -> None:
        within = self.get_transaction_status()
        await commit(self)
        if within:  # and not while a connection is made
            self.close()
            raise pymysql.err.OperationalError(code, "Lost connection")

    @transactional
    async def write() -> None:
        runs[0] += 1
        await execute(INSERT, [f"n{runs[0]}", NOON])

    with monkeypatch.context() as cut:
        cut.setattr(aiomysql.Connection, "commit", lost)
        with pytest.raises(pymysql.err.OperationalError, match="Lost"):
            await write()
    assert await _names() == ["n1"]


async def test_a_connection_that_is_lost_before_the_commit_is_tried_again(db: Db):
    runs = [0]

    @transactional
    async def write() -> None:
        runs[0] += 1
        await execute(INSERT, [f"n{runs[0]}", NOON])
        if runs[0] == 1:
            raise pymysql.err.OperationalError(2013, "Lost connection")

    await write()
    assert await _names() == ["n2"]
