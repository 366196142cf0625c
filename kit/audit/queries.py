from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from kit.db import fetch
from kit.db.sql import as_utc

_COLUMNS = "id, at, actor_kind, actor_id, action, subject_kind, subject_id, result, reason, request_id, details, seq"


@dataclass(frozen=True, slots=True)
class Deed:
    """One row of the trail; `seq` is its place in the chain, None until it is sealed."""

    id: str
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    subject_kind: str
    subject_id: str
    result: str
    reason: str | None
    request_id: str
    details: Mapping[str, Any]
    seq: int | None


async def search(
    *,
    actor_id: str | None = None,
    subject_id: str | None = None,
    action: str | None = None,
    before: str | None = None,
    limit: int = 20,
) -> list[Deed]:
    """Deeds that match all that is given, newest first; `before` is the last id of the page before."""
    wanted = {"actor_id = ?": actor_id, "subject_id = ?": subject_id, "action = ?": action, "id < ?": before}
    conditions = {condition: value for condition, value in wanted.items() if value is not None}
    where = " AND ".join(conditions) or "1 = 1"
    rows = await fetch(
        f"SELECT {_COLUMNS} FROM kit_audit WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608 - our conditions
        [*conditions.values(), limit],
    )
    return [Deed(**{**row, "at": as_utc(row["at"]), "details": orjson.loads(row["details"])}) for row in rows]
