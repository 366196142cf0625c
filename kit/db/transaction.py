import asyncio
import functools
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

import pymysql
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction as _tortoise_transaction

P = ParamSpec("P")
R = TypeVar("R")

# Lock wait timeout, deadlock, lost savepoint (deadlock in a nested block), server gone, connection lost.
TRANSIENT_MYSQL = frozenset({1205, 1213, 1305, 2006, 2013})
LOST = frozenset({2006, 2013})
ATTEMPTS = 6


class _Unit:
    """What an open transaction will do once it is committed."""

    def __init__(self) -> None:
        self.open = True
        self.after_commit: list[Callable[[], None]] = []


_current: ContextVar[_Unit | None] = ContextVar("kit_db_transaction", default=None)


def in_transaction() -> bool:
    """Whether the calling task has a transaction open."""
    unit = _current.get()
    return unit is not None and unit.open  # a task started inside still holds the unit when it is closed


def after_commit(action: Callable[[], None]) -> None:
    """Call `action` once, right after the open transaction is committed; RuntimeError without one."""
    unit = _current.get()
    if unit is None or not unit.open:
        raise RuntimeError("after_commit needs an open transaction")
    if action not in unit.after_commit:
        unit.after_commit.append(action)


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """One transaction; nesting is an error, since a command is one transaction and calls no other command."""
    if in_transaction():
        raise RuntimeError("a transaction is already open: two writes are two transactions")
    unit = _Unit()
    async with _tortoise_transaction("default"):
        token = _current.set(unit)
        try:
            yield
        finally:
            unit.open = False
            _current.reset(token)
    for action in unit.after_commit:
        action()


def is_transient(error: BaseException) -> bool:
    """Whether the database asks for the whole transaction to be tried again."""
    cause = _cause(error)
    if isinstance(cause, pymysql.err.MySQLError):
        return bool(cause.args) and cause.args[0] in TRANSIENT_MYSQL
    return isinstance(cause, sqlite3.OperationalError) and "database is locked" in str(cause)


def _is_lost(error: BaseException) -> bool:
    cause = _cause(error)
    return isinstance(cause, pymysql.err.MySQLError) and bool(cause.args) and cause.args[0] in LOST


def _cause(error: BaseException) -> object:
    return error.args[0] if isinstance(error, OperationalError) and error.args else error


def transactional(command: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Run a service function in a transaction of its own, again when the database says deadlock or busy.

    The function must touch nothing but the database, since it may run up to six times. It does not run again when the
    connection is lost while committing: it may be committed, and only its caller can tell, by a key or a unique row.
    """

    @functools.wraps(command)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            committing = False
            try:
                async with transaction():
                    result = await command(*args, **kwargs)
                    committing = True
            except (OperationalError, pymysql.err.MySQLError, sqlite3.OperationalError) as error:
                if attempt == ATTEMPTS or not is_transient(error) or (committing and _is_lost(error)):
                    raise
            else:
                return result
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter, not a secret
        raise AssertionError  # the loop returns or raises

    return run
