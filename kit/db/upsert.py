"""A row that is there afterwards, whether it was before or not: a statement that the two databases spell apart."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kit.db.sql import dialect, execute

_NEW = re.compile(r"\bnew\.(\w+)")


async def upsert(table: str, row: Mapping[str, Any], *, key: Sequence[str], change: str) -> None:
    """Insert `row`, or `change` the one that has its `key` already: "at = new.at", "value = value + 1".

    Either way the row is locked until the transaction ends.
    """
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    if dialect() == "sqlite":
        tail = f"ON CONFLICT({', '.join(key)}) DO UPDATE SET " + _NEW.sub(r"excluded.\1", change)
    else:
        tail = "ON DUPLICATE KEY UPDATE " + _NEW.sub(r"VALUES(\1)", change)
    await execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) {tail}", list(row.values()))  # noqa: S608 - ours
