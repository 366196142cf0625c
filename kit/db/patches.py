"""What Tortoise 1.1 gets wrong about cancelled transactions, mended in one place.

Sanic cancels a handler when the phone goes away. A task cancelled inside `in_transaction().__aenter__` never gives
its connection back (MySQL pool) or its lock (SQLite), and soon nobody gets any. On SQLite, a transaction that reads
first and writes later fails at once under contention from another process, whatever `busy_timeout` says, unless it
begins with BEGIN IMMEDIATE. `tests/kit/db/test_patches.py` fails when the library no longer needs this.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable
from typing import Any

import aiomysql.connection
from pymysql.converters import escape_bytes
from tortoise.backends.base import client as base
from tortoise.backends.mysql import client as mysql
from tortoise.backends.mysql.schema_generator import MySQLSchemaGenerator
from tortoise.backends.sqlite import client as sqlite
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError
from tortoise.migrations.schema_editor.mysql import MySQLSchemaEditor
from tortoise.migrations.schema_editor.sqlite import SqliteSchemaEditor

from kit.db import pool

PATCHED_FOR = "1.1"


async def _through(work: Awaitable[Any]) -> None:
    """Run `work` to its end even when cancelled meanwhile, then let the cancellation pass."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


_driver_connect = aiomysql.connection.Connection._connect  # noqa: SLF001 - this module exists to reach inside


async def _connect_or_close(self: Any) -> None:
    try:
        await _driver_connect(self)
    except BaseException:  # the driver closes its socket after an Exception only, and not after a cancellation
        self.close()
        raise


_make_pool = mysql.MySQLClient.create_connection


async def _make_pool_through(self: Any, with_db: bool) -> None:  # noqa: FBT001 - the library's signature
    """The first request of a process makes the pool; cut off, it would leave the connections made so far open."""
    await _through(_make_pool(self, with_db))


def _give_back(client: Any, connection: Any) -> None:
    pool = client._parent._pool  # noqa: SLF001 - this module exists to reach inside
    if pool is not None:
        pool.release(connection)  # at once: there is nothing to wait for, and nothing to cancel


async def _pooled_enter(self: Any) -> Any:
    await self.ensure_connection()
    client = self.client
    connection = await client._parent._pool.acquire()  # noqa: SLF001
    client._connection = connection  # noqa: SLF001
    try:
        await client.begin()
    except BaseException:
        connection.close()
        _give_back(client, connection)
        raise
    self.token = get_connections().set(self.connection_name, client)
    return client


async def _pooled_exit(self: Any, exc_type: Any, _exc: Any, _tb: Any) -> None:
    client, connection = self.client, self.client._connection  # noqa: SLF001
    try:
        if exc_type is None:
            await client.commit()
        else:
            # The error that brought us here matters more than one of the rollback; the connection is dropped then.
            with contextlib.suppress(Exception):
                await client.rollback()
    finally:
        if not client._finalized:  # noqa: SLF001
            connection.close()  # its state is unknown: never back into the pool
        get_connections().reset(self.token)
        _give_back(client, connection)


async def _sqlite_begin(self: Any) -> None:
    try:
        await self._connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise OperationalError(error) from error


async def _sqlite_enter(self: Any) -> Any:
    await self._trxlock.acquire()
    try:
        await self.ensure_connection()
        begin = asyncio.ensure_future(self.connection.begin())
        try:
            await asyncio.shield(begin)
        except asyncio.CancelledError:
            await asyncio.wait([begin])
            if begin.exception() is None:
                await _through(self.connection.rollback())
            raise
    except BaseException:
        self._trxlock.release()
        raise
    self.token = get_connections().set(self.connection_name, self.connection)
    return self.connection


async def _sqlite_exit(self: Any, exc_type: Any, _exc: Any, _tb: Any) -> None:
    async def finish() -> None:
        if exc_type is not None:
            await self.connection.rollback()
            return
        try:
            await self.connection.commit()
        except BaseException:
            await self.connection._connection.rollback()  # noqa: SLF001 - a failed COMMIT leaves it open
            raise

    try:
        await _through(finish())
    finally:
        get_connections().reset(self.token)
        self._trxlock.release()


def _binary_table(_self: Any, table: str) -> str:  # noqa: ARG001 - called by keyword
    """Tortoise names no collation; a table with foreign keys cannot be converted once they are there."""
    return " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


_sqlite_escapes = SqliteSchemaEditor._get_escape_translation_table  # noqa: SLF001


def _escapes_with_semicolon() -> list[str]:
    """On SQLite a migration is cut at every semicolon, one in a table's description too."""
    table = _sqlite_escapes()
    table[ord(";")] = ","
    return table


def apply() -> None:
    """Mend Tortoise's transaction contexts and its MySQL tables' collation; safe to call more than once."""
    for maker in (MySQLSchemaGenerator, MySQLSchemaEditor):
        schema: Any = maker
        schema._table_generate_extra = _binary_table  # noqa: SLF001
    sqlite_editor: Any = SqliteSchemaEditor
    sqlite_editor._get_escape_translation_table = staticmethod(_escapes_with_semicolon)  # noqa: SLF001
    pool.apply()
    # aiomysql 0.3 takes a name from PyMySQL that newer ones have emptied: no bytes could be written.
    driver: Any = aiomysql.connection
    driver.escape_bytes_prefixed = escape_bytes
    driver.Connection._connect = _connect_or_close  # noqa: SLF001
    client: Any = mysql.MySQLClient
    client.create_connection = _make_pool_through
    pooled: Any = base.TransactionContextPooled
    pooled.__aenter__ = _pooled_enter
    pooled.__aexit__ = _pooled_exit
    single: Any = sqlite.SqliteTransactionContext
    single.__aenter__ = _sqlite_enter
    single.__aexit__ = _sqlite_exit
    wrapper: Any = sqlite.SqliteTransactionWrapper
    wrapper.begin = _sqlite_begin
