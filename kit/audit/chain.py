"""What a link of the chain is: the hash of a row's content, its place and the hash before it."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from kit.db.sql import as_utc

GENESIS = "0" * 64
_CONTENT = (
    "id",
    "actor_kind",
    "actor_id",
    "action",
    "subject_kind",
    "subject_id",
    "result",
    "source_ip_sealed",
    "reason",
    "request_id",
    "details",
)
COLUMNS = ", ".join(("at", *_CONTENT))


def link_hash(row: Mapping[str, Any], *, seq: int, previous: str) -> str:
    """Hash a stored row (as SQL text reads it) at its place; 64 hex characters."""
    at = as_utc(row["at"]).isoformat(timespec="microseconds")
    return hashlib.sha256(orjson.dumps([seq, previous, at, *(row[name] for name in _CONTENT)])).hexdigest()


def anchor_message(*, day: date, count: int, last_hash: str) -> bytes:
    """Give the bytes that an anchor's signature is over."""
    return f"yichuang-audit-anchor-1:{day.isoformat()}:{count}:{last_hash}".encode()
