from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from kit.audit.models import AuditRecord
from kit.db import in_transaction
from kit.ids import new_id
from kit.log import cleaned, current_request_id, scrub


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
    await AuditRecord.create(
        id=new_id(),
        at=at or datetime.now(UTC),
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_kind=subject[0],
        subject_id=subject[1],
        result=result,
        source_ip_sealed=source_ip_sealed,
        reason=scrub(reason) if reason is not None else None,
        request_id=current_request_id(),
        details=orjson.dumps(cleaned(details or {}), option=orjson.OPT_SORT_KEYS).decode(),
    )
