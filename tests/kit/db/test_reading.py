"""Results are read value for value as PyMySQL reads them, in whatever pieces they come, and end as badly."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import aiomysql
import pymysql
import pytest

from kit.db import patches, reading

ADDRESS: dict[str, Any] = {"host": "127.0.0.1", "user": "root", "charset": "utf8mb4"}
PIECE = 7
PATIENCE_SECONDS = 60
VALUES = {
    "numbers": "SELECT 0 a, -1 b, 9223372036854775807 c, 18446744073709551615 d, 1.5e0 e, CAST(0.10 AS DECIMAL(9,2)) f",
    "nothing": "SELECT NULL a, '' b, NULL c, CAST(NULL AS DATETIME) d",
    "texts": "SELECT '不动产登记' a, '𠮷😀' b, 'it''s \\\\' c, JSON_OBJECT('k', '值') d, X'00ff' e, _binary'raw' f",
    "moments": "SELECT TIMESTAMP'2026-02-28 23:59:59' a, TIMESTAMP'2026-11-22 03:00:00.000001' b, "
    "CAST('2026-11-22 03:00:00.5' AS DATETIME(1)) c, CAST('0001-01-01 00:00:00' AS DATETIME) d",
    "days and times": "SELECT DATE'2026-11-22' a, CAST('-25:06:17.5' AS TIME(1)) b, CAST(b'101' AS UNSIGNED) c, "
    "YEAR('2026-11-22') d",
    "lengths": "SELECT REPEAT('a', 250) a, REPEAT('b', 251) b, REPEAT('c', 65535) c, REPEAT('d', 65536) d, 'e' e, "
    "REPEAT('值', 400000) f",
    "rows": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
    "SELECT i, REPEAT('r', i), IF(i % 3, NULL, i) FROM n",
    "no row": "SELECT 1 a FROM DUAL WHERE 1 = 0",
    "the same name twice": "SELECT 1 a, 2 a",
}


@pytest.fixture(params=[1 << 18, PIECE])
async def connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    patches.apply()
    monkeypatch.setattr(reading, "_CHUNK", request.param)
    made = await aiomysql.connect(port=_port(), autocommit=True, **ADDRESS)
    yield made
    made.close()
    await asyncio.sleep(0)


def _port() -> int:
    return int(os.environ["TEST_MARIADB_PORT"])


async def _read(connection: Any, sql: str) -> Any:
    async with connection.cursor() as cursor:
        count = await cursor.execute(sql)
        return count, cursor.description, await cursor.fetchall()


def _expected(sql: str) -> Any:
    with pymysql.connect(port=_port(), **ADDRESS) as known, known.cursor() as cursor:
        return cursor.execute(sql), cursor.description, cursor.fetchall()


@pytest.mark.parametrize("kind", VALUES)
async def test_every_value_is_what_the_reference_reads(connection: Any, kind: str):
    expected = _expected(VALUES[kind])
    for _ in range(2):  # the second time its columns are known
        assert await asyncio.wait_for(_read(connection, VALUES[kind]), PATIENCE_SECONDS) == expected


async def test_what_is_no_moment_stays_a_text(connection: Any):
    await _read(connection, "SET sql_mode = ''")
    await _read(connection, "CREATE TEMPORARY TABLE mysql.odd (a DATETIME, b DATE)")
    await _read(connection, "INSERT INTO mysql.odd VALUES ('0000-00-00 00:00:00', '2026-00-00')")
    _, _, rows = await _read(connection, "SELECT a, b FROM mysql.odd")
    assert rows == (("0000-00-00 00:00:00", "2026-00-00"),)


async def test_a_column_that_has_changed_is_read_as_it_is_now(connection: Any):
    await _read(connection, "CREATE TEMPORARY TABLE mysql.changing (a VARCHAR(20))")
    await _read(connection, "INSERT INTO mysql.changing VALUES ('12')")
    assert (await _read(connection, "SELECT * FROM mysql.changing"))[2] == (("12",),)
    await _read(connection, "ALTER TABLE mysql.changing CHANGE a b INT")
    _, description, rows = await _read(connection, "SELECT * FROM mysql.changing")
    assert (description[0][0], rows) == ("b", ((12,),))


async def test_an_error_after_the_first_rows_leaves_the_connection_usable(connection: Any):
    late = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
        "SELECT REPEAT('x', 1000), IF(i = 40, (SELECT 1 UNION SELECT i), i) FROM n"
    )
    with pytest.raises(pymysql.err.OperationalError) as caught:
        await _read(connection, late)
    assert caught.value.args[0] == pymysql.constants.ER.SUBQUERY_NO_1_ROW
    assert (await _read(connection, "SELECT 7"))[2] == ((7,),)


async def test_a_connection_that_is_lost_in_the_middle_is_closed(connection: Any):
    asking = asyncio.create_task(_read(connection, "SELECT SLEEP(20)"))
    await asyncio.sleep(0.05)
    with pymysql.connect(port=_port(), **ADDRESS) as other:
        other.kill(connection.thread_id())
    with pytest.raises(pymysql.err.OperationalError):
        await asyncio.wait_for(asking, PATIENCE_SECONDS)
    with contextlib.suppress(pymysql.err.Error):  # where the error itself came through, it closes with the next word
        await _read(connection, "SELECT 1")
    assert connection.closed


async def test_a_connection_that_is_left_in_the_middle_is_closed(connection: Any):
    asking = asyncio.create_task(_read(connection, "SELECT SLEEP(20)"))
    await asyncio.sleep(0.05)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert connection.closed
