from kit.db import execute, fetch_one, in_transaction, upsert
from kit.ids import new_id

_KEY = "kind = ? AND district = ? AND period = ?"


async def next_number(*, kind: str, district: str, period: str) -> int:
    """Give the next number, from 1 on, in the caller's transaction; RuntimeError without one.

    Others who want a number of the same row wait until that transaction ends. If it is rolled back, its number is given
    again to the next; a number that was committed never is.
    """
    if not in_transaction():
        raise RuntimeError("a number is taken in the transaction that uses it")
    key = {"kind": kind, "district": district, "period": period}
    if await execute(f"UPDATE kit_sequence SET value = value + 1 WHERE {_KEY}", [*key.values()]) == 0:  # noqa: S608 - constants
        await _start(key)
    row = await fetch_one(f"SELECT value FROM kit_sequence WHERE {_KEY}", [*key.values()])  # noqa: S608 - constants
    if row is None:
        raise RuntimeError("the counter's row is gone")
    return int(row["value"])


async def _start(key: dict[str, str]) -> None:
    """Insert the first row, or count up the one that somebody else inserted meanwhile."""
    row = {"id": new_id(), **key, "value": 1}
    await upsert("kit_sequence", row, key=tuple(key), change="value = value + 1")
