import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from kit.audit.sealer import seal_once
from kit.audit.service import Actor, record
from kit.audit.verify import Fault, Finding, verify_chain
from kit.db import execute, fetch, transaction
from kit.ids import new_id

MONDAY = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 17, 4, 0, tzinfo=UTC)
THURSDAY = datetime(2026, 3, 19, 4, 0, tzinfo=UTC)


def sign(message: bytes) -> str:
    return f"signed:{message.hex()}"


def verify(message: bytes, signature: str) -> bool:
    return signature == f"signed:{message.hex()}"


async def write(count: int) -> None:
    for number in range(count):
        async with transaction():
            await record(
                actor=Actor("staff", "s1"),
                action="look",
                subject=("case", str(number)),
                details={"n": number},
                reason="因",
            )


async def seal(now: datetime = MONDAY) -> int:
    return await seal_once(sign, now=now)


async def test_every_row_gets_its_place_once(db: object):
    assert await seal() == 0
    await write(3)
    assert await seal() == 3
    assert await seal() == 0
    await write(2)
    assert await seal() == 2
    rows = await fetch("SELECT seq, subject_id, previous_hash, hash FROM kit_audit ORDER BY seq")
    assert [(row["seq"], row["subject_id"]) for row in rows] == [(1, "0"), (2, "1"), (3, "2"), (4, "0"), (5, "1")]
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert await verify_chain(verify) == []


async def test_an_empty_chain_is_whole(db: object):
    assert await verify_chain(verify) == []
    await seal()
    assert await verify_chain(verify) == []


async def test_more_rows_than_one_batch(db: object):
    columns = "id, at, actor_kind, actor_id, action, subject_kind, subject_id, result, request_id, details"
    for _ in range(3):
        values = ", ".join(f"('{new_id()}', ?, 'a', 'b', 'c', 'd', 'e', 'ok', '', '{{}}')" for _ in range(71))
        await execute(f"INSERT INTO kit_audit ({columns}) VALUES {values}", [MONDAY] * 71)  # noqa: S608 - the same
    assert await seal() == 213
    assert await verify_chain(verify) == []


async def test_several_sealers_at_once_make_one_chain(db: object):
    await write(25)
    assert sum(await asyncio.gather(*(seal() for _ in range(4)))) == 25
    assert await verify_chain(verify) == []


@pytest.fixture
async def sealed(db: object):
    await write(6)
    await seal(MONDAY)
    await seal(TUESDAY)
    await write(2)
    await seal(TUESDAY)
    assert await verify_chain(verify) == []


CHANGES = [
    "reason = 'x'",
    "reason = NULL",
    "details = '{}'",
    "actor_id = 's2'",
    "at = '2026-01-01 00:00:00+00:00'",
    "result = 'refused'",
    "source_ip_sealed = 'k1.x'",
    "request_id = 'r'",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_row_is_found(sealed: object, db: Any, change: str):
    value = change if db.dialect == "sqlite" else change.replace("+00:00", "")
    sql = f"UPDATE kit_audit SET {value} WHERE seq = 3"  # noqa: S608 - constants of this test
    await execute(sql)
    assert await verify_chain(verify) == [Finding(Fault.CHANGED, 3)]


async def test_a_row_changed_with_its_hash_is_found(sealed: object):
    await execute("UPDATE kit_audit SET hash = ? WHERE seq = 3", ["1" * 64])
    assert await verify_chain(verify) == [Finding(Fault.CHANGED, 3), Finding(Fault.BROKEN_LINK, 4)]


@pytest.mark.parametrize("seq", [1, 4])
async def test_a_removed_row_is_found(sealed: object, seq: int):
    await execute("DELETE FROM kit_audit WHERE seq = ?", [seq])
    assert await verify_chain(verify) == [Finding(Fault.REMOVED, seq)]


async def test_rows_closed_up_after_a_removal_are_found(sealed: object):
    await execute("DELETE FROM kit_audit WHERE seq = 4")
    for seq in (5, 6, 7, 8):
        await execute("UPDATE kit_audit SET seq = ? WHERE seq = ?", [seq - 1, seq])
    faults = {(f.fault, f.seq) for f in await verify_chain(verify)}
    assert {(Fault.BROKEN_LINK, 4), (Fault.CHANGED, 4), (Fault.CHANGED, 7)} <= faults


async def test_rows_in_another_order_are_found(sealed: object):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        await execute("UPDATE kit_audit SET seq = ? WHERE seq = ?", [new, old])
    faults = {(f.fault, f.seq) for f in await verify_chain(verify)}
    assert {(Fault.CHANGED, 2), (Fault.CHANGED, 3), (Fault.BROKEN_LINK, 2)} <= faults


async def test_a_removed_end_is_found(sealed: object):
    await execute("DELETE FROM kit_audit WHERE seq = 8")
    assert await verify_chain(verify) == [Finding(Fault.HEAD_MISMATCH, 8)]
    await execute("UPDATE kit_audit_head SET seq = 0")
    assert await verify_chain(verify) == [Finding(Fault.HEAD_MISMATCH, 8)]


async def test_a_missing_head_is_found(sealed: object):
    await execute("DELETE FROM kit_audit_head")
    assert await verify_chain(verify) == [Finding(Fault.HEAD_MISMATCH, 8)]


async def test_a_chain_rewritten_as_a_whole_is_found_by_its_anchor(sealed: object):
    await execute("UPDATE kit_audit SET reason = 'x' WHERE seq = 2")
    await execute("UPDATE kit_audit SET seq = NULL, hash = NULL, previous_hash = NULL")
    await execute("DELETE FROM kit_audit_head")
    await seal(TUESDAY)
    assert await verify_chain(verify) == [Finding(Fault.ANCHOR_MISMATCH, 6, "2026-03-16")]
    await execute("UPDATE kit_audit_anchor SET last_hash = (SELECT hash FROM kit_audit WHERE seq = 6)")
    assert await verify_chain(verify) == [Finding(Fault.ANCHOR_FORGED, 6, "2026-03-16")]


async def test_a_day_is_anchored_once_when_it_is_over(db: object):
    await write(2)
    await seal(MONDAY)
    assert await fetch("SELECT day FROM kit_audit_anchor") == []
    await asyncio.gather(seal(TUESDAY), seal(TUESDAY))
    await write(1)
    await seal(TUESDAY)
    await seal(THURSDAY)
    rows = await fetch("SELECT day, count FROM kit_audit_anchor ORDER BY day")
    assert [(row["day"], row["count"]) for row in rows] == [("2026-03-16", 2), ("2026-03-18", 3)]
    assert await verify_chain(verify) == []


async def test_an_anchor_stands_in_the_log_too_which_lies_elsewhere(db: object):
    await write(2)
    await seal(MONDAY)
    with capture_logs() as said:
        await seal(TUESDAY)
        await seal(TUESDAY)
    (anchor,) = await fetch("SELECT day, count, last_hash FROM kit_audit_anchor")
    told = [{name: each[name] for name in anchor} for each in said if each["event"] == "audit_anchored"]
    assert told == [anchor]
