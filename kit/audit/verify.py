"""Walk the whole chain and say what does not fit: changed, removed or reordered rows, forged anchors."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from kit.audit.chain import COLUMNS, GENESIS, anchor_message, link_hash
from kit.db import fetch, fetch_one

VerifySignature = Callable[[bytes, str], bool]

_PAGE = 1000


class Fault(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    BROKEN_LINK = "broken_link"
    HEAD_MISMATCH = "head_mismatch"
    ANCHOR_FORGED = "anchor_forged"
    ANCHOR_MISMATCH = "anchor_mismatch"


@dataclass(frozen=True, slots=True)
class Finding:
    """`seq` is the place in the chain: of the row, or of the first row that is missing."""

    fault: Fault
    seq: int
    day: str | None = None


async def verify_chain(verify_signature: VerifySignature) -> list[Finding]:
    """Check every sealed row, every anchor and the head; an empty list means that all is as it was sealed.

    Rows sealed after the newest anchor are guarded by hashes alone, against one who cannot rewrite them all.
    """
    anchors = await fetch("SELECT day, last_hash, count, signature FROM kit_audit_anchor ORDER BY day")
    wanted = {int(anchor["count"]) for anchor in anchors}
    found: list[Finding] = []
    hashes = {0: GENESIS}
    seq, previous = 0, GENESIS
    async for row in _sealed_rows():
        place = int(row["seq"])
        if place != seq + 1:
            found.append(Finding(Fault.REMOVED, seq + 1))
        elif row["previous_hash"] != previous:
            found.append(Finding(Fault.BROKEN_LINK, place))
        if link_hash(row, seq=place, previous=row["previous_hash"] or "") != row["hash"]:
            found.append(Finding(Fault.CHANGED, place))
        seq, previous = place, row["hash"]
        if seq in wanted:
            hashes[seq] = previous
    found += await _head_findings(seq, previous)
    for anchor in anchors:
        found += _anchor_findings(anchor, hashes, verify_signature)
    return found


async def _sealed_rows() -> AsyncIterator[dict[str, Any]]:
    after = -1
    while True:
        rows = await fetch(
            f"SELECT seq, previous_hash, hash, {COLUMNS} FROM kit_audit "  # noqa: S608 - constants
            f"WHERE seq > ? ORDER BY seq LIMIT {_PAGE}",
            [after],
        )
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        after = rows[-1]["seq"]


async def _head_findings(seq: int, last_hash: str) -> list[Finding]:
    """Compare with the head as it is now, which may have moved on since the rows were read: then only length counts."""
    head = await fetch_one("SELECT seq, hash FROM kit_audit_head WHERE id = 'chain'")
    if head is None:
        return [Finding(Fault.HEAD_MISMATCH, seq)] if seq else []
    row = await fetch_one("SELECT hash FROM kit_audit WHERE seq = ?", [head["seq"]])
    stored = row["hash"] if row else GENESIS if head["seq"] == 0 else None
    same = head["seq"] > seq or (head["seq"] == seq and head["hash"] == last_hash)
    return [] if same and stored == head["hash"] else [Finding(Fault.HEAD_MISMATCH, seq + 1)]


def _anchor_findings(
    anchor: dict[str, Any], hashes: dict[int, str], verify_signature: VerifySignature
) -> list[Finding]:
    day, count, last_hash = anchor["day"], int(anchor["count"]), anchor["last_hash"]
    message = anchor_message(day=date.fromisoformat(day), count=count, last_hash=last_hash)
    if not verify_signature(message, anchor["signature"]):
        return [Finding(Fault.ANCHOR_FORGED, count, day)]
    if hashes.get(count) != last_hash:
        return [Finding(Fault.ANCHOR_MISMATCH, count, day)]
    return []
