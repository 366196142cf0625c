from datetime import datetime, timedelta

from kit.db import execute, fetch_one
from kit.db.sql import as_utc, dialect

FRESH_SECONDS = 30.0
DEAD = timedelta(minutes=10)


async def beat(*, name: str, now: datetime) -> None:
    """Say that `name` is alive."""
    tail = (
        "ON CONFLICT(name) DO UPDATE SET at = excluded.at"
        if dialect() == "sqlite"
        else "ON DUPLICATE KEY UPDATE at = VALUES(at)"
    )
    await execute(f"INSERT INTO kit_heartbeat (name, at) VALUES (?, ?) {tail}", [name, now])  # noqa: S608 - constants


async def stop_beating(*, name: str) -> None:
    """Take the sign away: `name` ends in good order, and `/readyz` is not to count on it any longer."""
    await execute("DELETE FROM kit_heartbeat WHERE name = ?", [name])


async def forget_dead(*, now: datetime) -> int:
    """Delete what processes left that ended without a word; names hold process ids, so each would stay for ever."""
    return await execute("DELETE FROM kit_heartbeat WHERE at < ?", [now - DEAD])


async def age_seconds(*, prefix: str, now: datetime) -> float | None:
    """Seconds since the youngest beat of any name that starts with `prefix`; None when there was none."""
    row = await fetch_one("SELECT MAX(at) AS at FROM kit_heartbeat WHERE name LIKE ?", [prefix + "%"])
    if row is None or row["at"] is None:
        return None
    return (now - as_utc(row["at"])).total_seconds()
