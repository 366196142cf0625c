"""What is sent to the database, whoever sends it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiomysql import Connection
from tortoise.backends.sqlite.client import SqliteClient

_SQLITE = ("execute_query", "execute_query_dict", "execute_insert", "execute_many")


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement sent meanwhile, the transaction's own BEGIN and COMMIT not among them."""
    sent: list[str] = []
    inside: list[str] = []
    with monkeypatch.context() as watched:
        # MariaDB's are counted where all of them pass, Tortoise's and those of our own SQL text.
        watched.setattr(Connection, "query", _counted(Connection.query, sent, inside))
        for name in _SQLITE:
            watched.setattr(SqliteClient, name, _counted(getattr(SqliteClient, name), sent, inside))
        yield sent


def _counted(original: Callable[..., Any], sent: list[str], inside: list[str]) -> Any:
    async def counted(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        # One of these methods may be built on another: only the outermost counts.
        if not inside:
            sent.append(query)
        inside.append(query)
        try:
            return await original(self, query, *args, **kwargs)
        finally:
            inside.pop()

    return counted
