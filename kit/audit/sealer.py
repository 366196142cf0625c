from collections.abc import Callable
from datetime import date, datetime, timedelta

from kit.audit.chain import COLUMNS, GENESIS, anchor_message, link_hash
from kit.clock import local_date
from kit.db import execute, fetch, fetch_one, transactional, upsert
from kit.log import get_logger

Sign = Callable[[bytes], str]

_HEAD = "chain"
_BATCH = 100  # keeps the transaction well under 50 ms on SQLite
log = get_logger("audit")


async def seal_once(sign: Sign, *, now: datetime) -> int:
    """Chain all rows that are not yet, sign the anchor of a day that is over, and say how many rows were chained.

    Called every second or two. Of several callers one works at a time; the others find nothing left to do.
    """
    await _anchor(sign, day=local_date(now) - timedelta(days=1), now=now)
    sealed = 0
    while batch := await _seal_batch():
        sealed += batch
    return sealed


async def _anchor(sign: Sign, *, day: date, now: datetime) -> None:
    if await fetch_one("SELECT day FROM kit_audit_anchor WHERE day >= ?", [day.isoformat()]):
        return
    head = await fetch_one("SELECT seq, hash FROM kit_audit_head WHERE id = ?", [_HEAD])
    if head is None:
        return
    # Signed before the transaction: the key may be held by another machine.
    signature = sign(anchor_message(day=day, count=head["seq"], last_hash=head["hash"]))
    anchor = {"day": day.isoformat(), "last_hash": head["hash"], "count": head["seq"], "signature": signature}
    await upsert("kit_audit_anchor", {**anchor, "created_at": now}, key=("day",), change="day = day")
    # Whoever may write to the database can take its anchors away, and others would be signed: the log is elsewhere.
    log.info("audit_anchored", day=anchor["day"], count=anchor["count"], last_hash=anchor["last_hash"])


@transactional
async def _seal_batch() -> int:
    await _take_turn()
    head = await fetch_one("SELECT seq, hash FROM kit_audit_head WHERE id = ?", [_HEAD])
    if head is None:
        raise RuntimeError("the head of the audit chain is gone")
    seq, previous = int(head["seq"]), str(head["hash"])
    rows = await fetch(
        f"SELECT {COLUMNS} FROM kit_audit WHERE seq IS NULL ORDER BY id LIMIT {_BATCH}"  # noqa: S608 - constants
    )
    for row in rows:
        seq += 1
        link = link_hash(row, seq=seq, previous=previous)
        await execute(
            "UPDATE kit_audit SET seq = ?, previous_hash = ?, hash = ? WHERE id = ?",
            [seq, previous, link, row["id"]],
        )
        previous = link
    if rows:
        await execute("UPDATE kit_audit_head SET seq = ?, hash = ? WHERE id = ?", [seq, previous, _HEAD])
    return len(rows)


async def _take_turn() -> None:
    """Lock the head until the transaction ends; on a cluster the second node's commit fails and is tried again."""
    update = "UPDATE kit_audit_head SET turn = turn + 1 WHERE id = ?"
    if await execute(update, [_HEAD]) == 0:
        first = {"id": _HEAD, "turn": 0, "seq": 0, "hash": GENESIS}
        await upsert("kit_audit_head", first, key=("id",), change="id = id")
        await execute(update, [_HEAD])
