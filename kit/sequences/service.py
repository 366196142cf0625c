from kit.db import dialect, execute, fetch_one, in_transaction
from kit.ids import new_id

_KEY = "kind = ? AND district = ? AND period = ?"


async def next_number(*, kind: str, district: str, period: str) -> int:
    """Give the next number, from 1 on, in the caller's transaction; RuntimeError without one.

    Others who want a number of the same row wait until that transaction ends. If it is rolled back, its number is given
    again to the next; a number that was committed never is.
    """
    if not in_transaction():
        raise RuntimeError("a number is taken in the transaction that uses it")
    key = [kind, district, period]
    if await execute(f"UPDATE kit_sequence SET value = value + 1 WHERE {_KEY}", key) == 0:  # noqa: S608 - constants
        await _start(key)
    row = await fetch_one(f"SELECT value FROM kit_sequence WHERE {_KEY}", key)  # noqa: S608 - constants
    if row is None:
        raise RuntimeError("the counter's row is gone")
    return int(row["value"])


async def _start(key: list[str]) -> None:
    """Insert the first row, or count up the one that somebody else inserted meanwhile."""
    tail = (
        "ON CONFLICT(kind, district, period) DO UPDATE SET value = value + 1"
        if dialect() == "sqlite"
        else "ON DUPLICATE KEY UPDATE value = value + 1"
    )
    await execute(
        f"INSERT INTO kit_sequence (id, kind, district, period, value) VALUES (?, ?, ?, ?, 1) {tail}",  # noqa: S608
        [new_id(), *key],
    )
