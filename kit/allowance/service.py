from collections.abc import Collection
from datetime import datetime, timedelta

from kit.db import execute, fetch, in_transaction, upsert
from kit.ids import new_id

KEPT = timedelta(days=7)
"""How long a thing is remembered after it was had; no allowance looks further back."""
_QUEUE = ""
_OWNERS = "kind = ? AND owner = ?"


async def take(
    *, kind: str, owner: str, subjects: Collection[str], most: int, within: timedelta, now: datetime
) -> bool:
    """Let `owner` have these `subjects` in the caller's transaction; RuntimeError without one.

    False, and nothing is taken, when they would be more than `most` different ones within the time before `now`. One
    that the owner had in that time is no further one, and counts from now on. Others who take for the same owner wait
    until the transaction ends: take last in it.
    """
    if not in_transaction():
        raise RuntimeError("an allowance is taken in the transaction that uses it")
    wanted = set(subjects)
    await _had(kind, owner, _QUEUE, now)
    rows = await fetch(
        f"SELECT subject FROM kit_allowance WHERE {_OWNERS} AND subject <> ? AND used_at > ?",  # noqa: S608 - constants
        [kind, owner, _QUEUE, now - within],
    )
    if len(wanted.union(row["subject"] for row in rows)) > most:
        return False
    for subject in sorted(wanted):
        await _had(kind, owner, subject, now)
    return True


async def give_back(*, kind: str, owner: str, subject: str) -> None:
    """Undo a `take` that came to nothing."""
    await execute(f"DELETE FROM kit_allowance WHERE {_OWNERS} AND subject = ?", [kind, owner, subject])  # noqa: S608 - constants


async def forget_old(*, now: datetime) -> int:
    """Delete what no allowance looks back to any more."""
    return await execute("DELETE FROM kit_allowance WHERE used_at < ?", [now - KEPT])


async def _had(kind: str, owner: str, subject: str, now: datetime) -> None:
    """Write the row, which locks it until the transaction ends, whether it was there or not."""
    row = {"id": new_id(), "kind": kind, "owner": owner, "subject": subject, "used_at": now}
    await upsert("kit_allowance", row, key=("kind", "owner", "subject"), change="used_at = new.used_at")
