from datetime import datetime, timedelta

from kit.db import execute, fetch_one, upsert
from kit.db.sql import as_utc

FRESH_SECONDS = 30.0
DEAD = timedelta(minutes=10)


async def beat(*, name: str, now: datetime) -> None:
    """Say that `name` is alive."""
    await upsert("kit_heartbeat", {"name": name, "at": now}, key=("name",), change="at = new.at")


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
