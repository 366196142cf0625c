from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from kit.db import execute, in_transaction
from kit.ids import new_id
from kit.log import cleaned, current_request_id, scrub

# SQL text: every command writes one, and a model's way there costs more than the row. Seen in `booking_contention`.
_INSERT = (
    "INSERT INTO kit_audit (id, at, actor_kind, actor_id, action, subject_kind, subject_id, result, source_ip_sealed, "
    "reason, request_id, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `resident`, `staff`, `system` ... and the id of that one."""

    kind: str
    id: str


async def record(
    *,
    actor: Actor,
    action: str,
    subject: tuple[str, str],
    result: str = "ok",
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
    source_ip_sealed: str | None = None,
    at: datetime | None = None,
) -> None:
    """Write down a deed in the transaction that does it; RuntimeError without one.

    `subject` is a kind and an id. `reason` and `details` pass the same filter as log lines: what looks like a person's
    data is removed. `at` is the machine's time unless given.
    """
    if not in_transaction():
        raise RuntimeError("a deed is recorded in the transaction that does it")
    values = [new_id(), at or datetime.now(UTC), actor.kind, actor.id, action, *subject, result, source_ip_sealed]
    values.append(scrub(reason) if reason is not None else None)
    values.append(current_request_id())
    values.append(orjson.dumps(cleaned(details or {}), option=orjson.OPT_SORT_KEYS).decode())
    await execute(_INSERT, values)
