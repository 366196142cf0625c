"""Writing a fetched bill down: its file, then its lines in short transactions, then that all of it is there.

A city's day may have a hundred thousand lines. In one transaction they would hold locks for as long as they take, and
on SQLite keep everybody else from writing; so they are written in portions under a mark in the bill's row. A bill with
that mark is held against nothing. Whoever begins anew, after a crash or beside another worker, takes the mark, and the
former writer's next portion is refused.
"""

import asyncio
import hashlib
from collections.abc import Sequence

from kit.clock import Clock
from kit.db import execute, transactional
from kit.ids import new_id
from payments.bill_models import RAW_AT, BillEntry, BillFile, DailyBill
from payments.bill_rules import BillState
from payments.bills.bill import Bill, BillLine
from payments.ports import Needs

PORTION = 500
"""Lines, or findings, of one transaction: some ten milliseconds of it."""
_COLUMNS = (
    "id, bill_id, position, kind, number, out_trade_no, transaction_id, amount_fen, settled_fen, service_fee_fen, "
    "done_at, wallet_state"
)


class Superseded(Exception):
    """Somebody else has begun to write, or to look at, the same bill."""


async def store(needs: Needs, bill_id: str, fetched: Bill) -> None:
    """Keep the file once for each content, and the lines of the newest; raises Superseded."""
    digest, sealed, file_id = await asyncio.to_thread(_sealed, needs, fetched.raw)
    mark = await _begin(needs, bill_id, digest, file_id, sealed)
    if mark is None:
        return
    for start in range(0, await _positions(bill_id), PORTION):
        await _drop(bill_id, mark, start)
    for start in range(0, len(fetched.lines), PORTION):
        await _add(bill_id, mark, fetched.lines[start : start + PORTION])
    await _end(needs.clock, bill_id, mark, digest)


def _sealed(needs: Needs, raw: bytes) -> tuple[str, bytes, str]:
    """The file's digest, empty for no file; the file sealed; and the id that it is sealed for."""
    file_id = new_id()
    if not raw:
        return "", b"", file_id
    return hashlib.sha256(raw).hexdigest(), needs.cipher.seal_bytes(raw, (RAW_AT, file_id)), file_id


@transactional
async def _begin(needs: Needs, bill_id: str, digest: str, file_id: str, sealed: bytes) -> str | None:
    """The mark under which the lines are written; None when they are there already."""
    bill = await DailyBill.select_for_update().get(id=bill_id)
    now = needs.clock.now()
    if digest and not await BillFile.exists(bill_id=bill_id, digest=digest):
        await BillFile.create(id=file_id, bill=bill, digest=digest, raw_sealed=sealed, created_at=now)
    if bill.fetched_at is not None and bill.digest == digest and not bill.storing:
        bill.fetched_at, bill.error = now, ""
        await bill.save(update_fields=["fetched_at", "error"])
        return None
    # What it was found to be, it was with other lines.
    bill.storing, bill.state = new_id(), BillState.DUE.value
    bill.version += 1
    await bill.save(update_fields=["storing", "state", "version"])
    return str(bill.storing)


async def _positions(bill_id: str) -> int:
    last = await BillEntry.filter(bill_id=bill_id).order_by("-position").first()
    return int(last.position) + 1 if last else 0


async def _locked(bill_id: str, mark: str) -> DailyBill:
    bill = await DailyBill.select_for_update().get(id=bill_id)
    if bill.storing != mark:
        raise Superseded
    return bill


@transactional
async def _drop(bill_id: str, mark: str, start: int) -> None:
    await _locked(bill_id, mark)
    await BillEntry.filter(bill_id=bill_id, position__gte=start, position__lt=start + PORTION).delete()


@transactional
async def _add(bill_id: str, mark: str, lines: Sequence[BillLine]) -> None:
    await _locked(bill_id, mark)
    values: list[object] = []
    for line in lines:
        values += [new_id(), bill_id, line.position, line.kind.value, line.number, line.out_trade_no]
        values += [line.transaction_id, line.amount_fen, line.settled_fen, line.service_fee_fen, line.at, line.state]
    marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(lines))
    await execute(f"INSERT INTO payments_bill_entry ({_COLUMNS}) VALUES {marks}", values)  # noqa: S608 - constants


@transactional
async def _end(clock: Clock, bill_id: str, mark: str, digest: str) -> None:
    bill = await _locked(bill_id, mark)
    bill.storing, bill.digest, bill.error = "", digest, ""
    bill.fetched_at = clock.now()
    bill.version += 1
    await bill.save(update_fields=["storing", "digest", "error", "fetched_at", "version"])
