"""Claiming rows: one conditional UPDATE that means the same on SQLite, MariaDB and a Galera cluster."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kit.db import execute, fetch, transactional
from kit.ids import new_id

# Only if no earlier unfinished row has the same handler and ordering key. Finished rows leave the table, so a row
# that passed this test once passes it for good.
_CANDIDATES = """
SELECT o.id, o.event_name, o.handler, o.payload, o.attempts, o.request_id FROM kit_outbox o
WHERE o.available_at <= ? AND (o.state = 'pending' OR (o.state = 'leased' AND o.lease_until < ?))
AND NOT EXISTS (SELECT 1 FROM kit_outbox e
    WHERE e.handler = o.handler AND e.ordering_key = o.ordering_key AND e.id < o.id)
ORDER BY o.available_at, o.id LIMIT ?
"""
_LEASE = """
UPDATE kit_outbox SET state = 'leased', lease_token = ?, lease_until = ?, attempts = attempts + 1
WHERE id = ? AND available_at <= ? AND (state = 'pending' OR (state = 'leased' AND lease_until < ?))
"""
_TO_HISTORY = """
INSERT INTO kit_outbox_history (id, event_name, event_version, handler, ordering_key, payload, attempts,
    request_id, created_at, finished_at)
SELECT id, event_name, event_version, handler, ordering_key, payload, attempts, request_id, created_at, ?
FROM kit_outbox WHERE id = ? AND lease_token = ?
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased row: nobody else works on it until the lease runs out."""

    id: str
    token: str
    event_name: str
    handler: str
    payload: str
    attempts: int
    request_id: str


async def candidates(*, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Rows that may be worked on now, oldest first."""
    return await fetch(_CANDIDATES, [now, now, limit])


async def lease(row: dict[str, Any], *, now: datetime, seconds: int) -> Claim | None:
    """Take the row, or None when another worker was faster, or has put it back for later."""
    token = new_id()
    taken = await execute(_LEASE, [token, now + timedelta(seconds=seconds), row["id"], now, now])
    if taken != 1:
        return None
    return Claim(
        id=row["id"],
        token=token,
        event_name=row["event_name"],
        handler=row["handler"],
        payload=row["payload"],
        attempts=row["attempts"] + 1,
        request_id=row["request_id"],
    )


@transactional
async def finish(claim: Claim, *, now: datetime) -> bool:
    """Move the row to the history; False when the lease was lost meanwhile."""
    moved = await execute(_TO_HISTORY, [now, claim.id, claim.token])
    if moved == 1:
        await execute("DELETE FROM kit_outbox WHERE id = ? AND lease_token = ?", [claim.id, claim.token])
    return moved == 1


@transactional
async def put_back(claim: Claim, *, available_at: datetime, error: str) -> None:
    """Release the row to be tried again later."""
    await execute(
        "UPDATE kit_outbox SET state = 'pending', lease_token = NULL, lease_until = NULL, available_at = ?, "
        "error = ? WHERE id = ? AND lease_token = ?",
        [available_at, error, claim.id, claim.token],
    )


@transactional
async def park(claim: Claim, *, error: str) -> None:
    """Set the row aside for staff; later rows of its handler and key wait behind it."""
    await execute(
        "UPDATE kit_outbox SET state = 'parked', lease_token = NULL, lease_until = NULL, error = ? "
        "WHERE id = ? AND lease_token = ?",
        [error, claim.id, claim.token],
    )
