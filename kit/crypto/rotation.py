"""Sealing anew, under the current key, what older keys sealed in the columns of every model.

It rests on one convention: a column of tokens is called `*_sealed`, and its values are sealed at `<table>.<column>` and
the row's `id`. Nothing else of a row is touched. No state is kept: a token names its key, so whatever a crash leaves
undone is found by the next run, and two runs at once do no harm.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise import Tortoise, fields

from kit.crypto.cipher import Cipher, Unsealable
from kit.db import execute, fetch, transactional

CHAINED = frozenset({"kit_audit.source_ip_sealed"})
"""Columns whose very tokens the audit trail's hashes are over: they keep their key, which then cannot be retired."""

LOOK_ROWS = 200
_PORTION_ROWS = 50
_PAUSE_SECONDS = 0.02  # between transactions: SQLite queues nobody, so a writer must find a gap
_PORTION_BYTES = 1024 * 1024  # some tokens hold whole documents: neither memory nor a transaction grows with them


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of tokens; `binary` when they are bytes."""

    table: str
    column: str
    binary: bool

    @property
    def name(self) -> str:
        """The first half of the place that its values are sealed for."""
        return f"{self.table}.{self.column}"

    def value(self, text: str) -> str | bytes:
        """What SQL compares the tokens with."""
        return text.encode() if self.binary else text


@dataclass(frozen=True, slots=True)
class Step:
    """A portion of one column: how many values were re-sealed, and the ids of rows whose token does not open."""

    column: SealedColumn
    resealed: int
    damaged: tuple[str, ...]


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column of the open database's models, by table and column."""
    found = []
    for models in (Tortoise.apps or {}).values():
        for model in models.values():
            meta = model._meta  # noqa: SLF001 - the library's own way to a model's columns
            for field, column in meta.fields_db_projection.items():
                if column.endswith("_sealed"):
                    binary = isinstance(meta.fields_map[field], fields.BinaryField)
                    found.append(SealedColumn(meta.db_table, column, binary))
    return sorted(found, key=lambda column: column.name)


async def counts() -> dict[str, Counter[str]]:
    """How many values each key sealed: key id -> column's name -> values; a key id is empty for what is no token."""
    found: dict[str, Counter[str]] = {}
    for column in sealed_columns():
        rows = await fetch(
            f"SELECT SUBSTR({column.column}, 1, INSTR({column.column}, ?) - 1) AS key_id, COUNT(*) AS n "  # noqa: S608 - names of our models
            f"FROM {column.table} WHERE {column.column} IS NOT NULL GROUP BY 1",
            [column.value(".")],
        )
        for row in rows:
            key_id = row["key_id"].decode("latin-1") if isinstance(row["key_id"], bytes) else row["key_id"]
            found.setdefault(key_id, Counter())[column.name] += int(row["n"])
    return found


async def reseal(cipher: Cipher, columns: Iterable[SealedColumn] | None = None) -> AsyncIterator[Step]:
    """Go once through all columns, or those given, and re-seal in short transactions; one Step for each.

    A value that somebody else writes meanwhile stays as that one wrote it. A token that does not open stays too.
    """
    for column in sealed_columns() if columns is None else columns:
        if column.name in CHAINED:
            continue
        after = ""
        while rows := await _outdated(cipher, column, after):
            for portion in _portions(rows):
                yield await _reseal_portion(cipher, column, portion)
                await asyncio.sleep(_PAUSE_SECONDS)
            after = rows[-1]["id"]


async def _outdated(cipher: Cipher, column: SealedColumn, after: str) -> list[dict[str, Any]]:
    """The next rows under another key than the current one, with the size of their tokens."""
    where, params = _under_another_key(cipher, column)
    return await fetch(
        f"SELECT id, LENGTH({column.column}) AS size FROM {column.table} "  # noqa: S608 - names of our models
        f"WHERE id > ? AND {where} ORDER BY id LIMIT {LOOK_ROWS}",
        [after, *params],
    )


def _under_another_key(cipher: Cipher, column: SealedColumn) -> tuple[str, list[Any]]:
    # No LIKE: a key id may hold its wildcard `_`, and SQLite would not tell upper from lower case.
    prefix = f"{cipher.current_key_id}."
    return f"SUBSTR({column.column}, 1, {len(prefix)}) <> ?", [column.value(prefix)]


def _portions(rows: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    portion: list[str] = []
    size = 0
    for row in rows:
        if portion and (len(portion) == _PORTION_ROWS or size + row["size"] > _PORTION_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(row["id"])
        size += row["size"]
    yield portion


async def _reseal_portion(cipher: Cipher, column: SealedColumn, ids: Sequence[str]) -> Step:
    where, params = _under_another_key(cipher, column)
    rows = await fetch(
        f"SELECT id, {column.column} AS token FROM {column.table} "  # noqa: S608 - names of our models
        f"WHERE id IN ({', '.join('?' * len(ids))}) AND {where} ORDER BY id",
        [*ids, *params],
    )
    fresh, damaged = [], []
    for row in rows:
        try:
            fresh.append((row["id"], row["token"], _resealed(cipher, row["token"], (column.name, row["id"]))))
        except Unsealable:
            damaged.append(row["id"])
    return Step(column, await _replace(column, fresh), tuple(damaged))


def _resealed(cipher: Cipher, token: str | bytes, at: tuple[str, str]) -> str | bytes:
    if isinstance(token, str):
        return cipher.seal(cipher.open(token, at), at)
    return cipher.seal_bytes(cipher.open_bytes(token, at), at)


@transactional
async def _replace(column: SealedColumn, fresh: Sequence[tuple[str, str | bytes, str | bytes]]) -> int:
    """Put new tokens where the old ones still are; how many that was."""
    replaced = 0
    for row_id, old, new in fresh:
        replaced += await execute(
            f"UPDATE {column.table} SET {column.column} = ? WHERE id = ? AND {column.column} = ?",  # noqa: S608 - names of our models
            [new, row_id, old],
        )
    return replaced
