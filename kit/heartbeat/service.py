from datetime import datetime

from kit.db import execute, fetch_one
from kit.db.sql import as_utc, dialect

FRESH_SECONDS = 30.0


async def beat(*, name: str, now: datetime) -> None:
    """Say that `name` is alive."""
    tail = (
        "ON CONFLICT(name) DO UPDATE SET at = excluded.at"
        if dialect() == "sqlite"
        else "ON DUPLICATE KEY UPDATE at = VALUES(at)"
    )
    await execute(f"INSERT INTO kit_heartbeat (name, at) VALUES (?, ?) {tail}", [name, now])  # noqa: S608 - constants


async def age_seconds(*, prefix: str, now: datetime) -> float | None:
    """Seconds since the youngest beat of any name that starts with `prefix`; None when there was none."""
    row = await fetch_one("SELECT MAX(at) AS at FROM kit_heartbeat WHERE name LIKE ?", [prefix + "%"])
    if row is None or row["at"] is None:
        return None
    return (now - as_utc(row["at"])).total_seconds()
