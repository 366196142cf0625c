from dataclasses import dataclass
from datetime import datetime

from kit.db import execute, fetch, fetch_one, transactional
from kit.db.sql import as_utc
from kit.outbox.models import RowState


@dataclass(frozen=True, slots=True)
class Parked:
    """A row that waits for staff."""

    id: str
    event_name: str
    handler: str
    attempts: int
    error: str
    request_id: str
    created_at: datetime


async def parked(*, after: str = "", limit: int = 20) -> list[Parked]:
    """Rows set aside, oldest first; `after` is the last id of the page before."""
    rows = await fetch(
        "SELECT id, event_name, handler, attempts, error, request_id, created_at FROM kit_outbox "
        "WHERE state = 'parked' AND id > ? ORDER BY id LIMIT ?",
        [after, limit],
    )
    return [Parked(**{**row, "created_at": as_utc(row["created_at"])}) for row in rows]


@transactional
async def replay(*, row_id: str, now: datetime) -> bool:
    """Let a parked row be tried again; False when there is none of that id."""
    return await unpark(row_id=row_id, now=now)


async def unpark(*, row_id: str, now: datetime) -> bool:
    """The same in the caller's transaction."""
    changed = await execute(
        "UPDATE kit_outbox SET state = 'pending', available_at = ?, error = NULL WHERE id = ? AND state = 'parked'",
        [now, row_id],
    )
    return changed == 1


async def counts() -> dict[str, int]:
    """Unfinished rows of each state, for the metrics."""
    rows = await fetch("SELECT state, COUNT(*) AS n FROM kit_outbox GROUP BY state")
    return dict.fromkeys(RowState, 0) | {row["state"]: row["n"] for row in rows}


async def oldest_due_seconds(*, now: datetime) -> float:
    """How long the oldest row has been due that nobody has finished, parked ones apart; 0 when none is."""
    row = await fetch_one(
        "SELECT MIN(available_at) AS at FROM kit_outbox WHERE state IN ('pending', 'leased') AND available_at <= ?",
        [now],
    )
    return (now - as_utc(row["at"])).total_seconds() if row and row["at"] else 0.0
