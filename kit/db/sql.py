"""SQL text with `?` for each value, the same on SQLite and MariaDB."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from tortoise.connection import get_connection

Dialect = Literal["sqlite", "mysql"]
# A quoted text or name is one token, so that a question mark inside it stays what it is.
_TOKENS = re.compile(r"(?P<quoted>'[^']*'|\"[^\"]*\"|`[^`]*`)|(?P<mark>\?)|(?P<percent>%)")


def _connection() -> Any:
    return get_connection("default")


def dialect() -> Dialect:
    """Which database the process talks to."""
    return "sqlite" if _connection().capabilities.dialect == "sqlite" else "mysql"


@lru_cache(maxsize=512)
def _mysql_text(sql: str) -> str:
    """The driver fills in values by Python's `%`, so every other percent sign is doubled."""
    return _TOKENS.sub(lambda token: "%s" if token["mark"] else token[0].replace("%", "%%"), sql)


def to_db(value: Any) -> Any:
    """A value as the driver stores it, the same way as the models do."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("a naive datetime has no place in the database")
    moment = value.astimezone(UTC)
    return str(moment) if dialect() == "sqlite" else moment.replace(tzinfo=None)


def as_utc(value: Any) -> datetime:
    """A stored moment read by SQL text, aware and in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TypeError(f"not a stored moment: {type(value).__name__}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _prepare(sql: str, params: Sequence[Any]) -> tuple[Any, str, list[Any]]:
    connection = _connection()
    mysql = connection.capabilities.dialect != "sqlite"
    values = [to_db(value) if isinstance(value, datetime) else value for value in params]
    return connection, (_mysql_text(sql) if mysql else sql), values


async def fetch(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a SELECT as dicts; moments come raw, see `as_utc`."""
    connection, text, values = _prepare(sql, params)
    rows: list[dict[str, Any]] = await connection.execute_query_dict(text, values)
    return rows


async def fetch_one(sql: str, params: Sequence[Any] = ()) -> dict[str, Any] | None:
    """The first row of a SELECT, or None."""
    rows = await fetch(sql, params)
    return rows[0] if rows else None


async def execute(sql: str, params: Sequence[Any] = ()) -> int:
    """Run one INSERT, UPDATE or DELETE and answer the number of rows it matched."""
    connection, text, values = _prepare(sql, params)
    count, _ = await connection.execute_query(text, values)
    return int(count)
