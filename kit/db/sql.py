"""SQL text with `?` for each value, the same on SQLite and MariaDB."""

import re
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import pymysql
from tortoise.context import require_context
from tortoise.exceptions import IntegrityError, OperationalError

Dialect = Literal["sqlite", "mysql"]
# A quoted text or name is one token, so that a question mark inside it stays what it is.
_TOKENS = re.compile(r"(?P<quoted>'[^']*'|\"[^\"]*\"|`[^`]*`)|(?P<mark>\?)|(?P<percent>%)")
_FAILURES = (
    pymysql.err.OperationalError,
    pymysql.err.ProgrammingError,
    pymysql.err.DataError,
    pymysql.err.InternalError,
    pymysql.err.NotSupportedError,
)


def _connection() -> Any:
    return require_context().connections.get("default")


def dialect() -> Dialect:
    """Which database the process talks to."""
    return "sqlite" if _connection().capabilities.dialect == "sqlite" else "mysql"


@lru_cache(maxsize=512)
def _mysql_text(sql: str) -> str:
    """The driver fills in values by Python's `%`, so every other percent sign is doubled."""
    return _TOKENS.sub(lambda token: "%s" if token["mark"] else token[0].replace("%", "%%"), sql)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime has no place in the database")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def as_utc(value: Any) -> datetime:
    """A stored moment read by SQL text, aware and in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TypeError(f"not a stored moment: {type(value).__name__}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


async def fetch(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a SELECT as dicts; moments come raw, see `as_utc`."""
    connection = _connection()
    if connection.capabilities.dialect == "sqlite":
        rows: list[dict[str, Any]] = await connection.execute_query_dict(sql, _sqlite_values(params))
        return rows
    result = await _mysql(connection, sql, params)
    if not result.rows:
        return []
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


async def fetch_one(sql: str, params: Sequence[Any] = ()) -> dict[str, Any] | None:
    """The first row of a SELECT, or None."""
    rows = await fetch(sql, params)
    return rows[0] if rows else None


async def execute(sql: str, params: Sequence[Any] = ()) -> int:
    """Run one INSERT, UPDATE or DELETE and answer the number of rows it matched."""
    connection = _connection()
    if connection.capabilities.dialect == "sqlite":
        count, _ = await connection.execute_query(sql, _sqlite_values(params))
        return int(count)
    return int((await _mysql(connection, sql, params)).affected_rows)


def _sqlite_values(params: Sequence[Any]) -> list[Any]:
    return [str(_utc(value)) if isinstance(value, datetime) else value for value in params]


async def _mysql(connection: Any, sql: str, params: Sequence[Any]) -> Any:
    """The driver's result, without its cursor and Tortoise's between; their errors as Tortoise's."""
    try:
        async with connection.acquire_connection() as raw:
            raw._last_usage = raw.loop.time()  # noqa: SLF001 - as a cursor does: the pool judges age by it
            await raw.query(_mysql_text(sql) % tuple([_mysql_literal(raw, value) for value in params]))
            result = raw._result  # noqa: SLF001 - as a cursor reads it
            if result.warning_count:
                await _warn(raw)
            return result
    except pymysql.err.IntegrityError as error:
        raise IntegrityError(error) from error
    except _FAILURES as error:
        raise OperationalError(error) from error


def _mysql_literal(raw: Any, value: Any) -> str:
    if isinstance(value, datetime):
        return f"'{_utc(value).replace(tzinfo=None).isoformat(' ')}'"
    if type(value) is str and value.isalnum():  # ids and digests, which most values are, need no look at each character
        return f"'{value}'"
    return str(raw.escape(value))


async def _warn(raw: Any) -> None:
    """What the database found odd and did all the same."""
    for *_, text in await raw.show_warnings():
        warnings.warn(str(text), pymysql.err.Warning, stacklevel=4)
