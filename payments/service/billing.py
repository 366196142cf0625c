"""Daily bills: opened when they are due, fetched, kept, and asked for again while anything in them is unexplained.

A bill that is not there yet, or that cannot be believed, is no failure of a handler: it is asked for again by a new,
delayed event, and its row says why. Only a wallet that does not answer is left to the outbox's own patience.
"""

import hashlib
from datetime import date, timedelta

from tortoise.exceptions import IntegrityError

from kit.db import fetch, transactional
from kit.errors import OutsideError, Permanent
from kit.ids import new_id
from kit.log import get_logger
from payments.bill_models import RAW_AT, BillEntry, BillFile, DailyBill
from payments.bill_rules import (
    AGAIN_SECONDS,
    FIRST_DAY_SECONDS,
    BillState,
    due_days,
    is_empty_day,
    worth_another_look,
)
from payments.bills.bill import Bill, UnreadableBill
from payments.events import BillDue
from payments.ports import BillNotReady, Needs
from payments.service import reconciling

_LONGEST_ERROR = 255
log = get_logger("payments")


async def open_due_bills(needs: Needs) -> int:
    """Open the bills of the last days that are due by now, once for each wallet and day; answers how many."""
    days = tuple(due_days(needs.clock.now()))
    opened = 0
    for wallet in needs.bills:
        rows = await fetch("SELECT day FROM payments_bill WHERE wallet = ? AND day >= ?", [wallet, days[0].isoformat()])
        known = {str(row["day"])[:10] for row in rows}
        for day in days:
            if day.isoformat() not in known:
                opened += await _open_once(needs, wallet, day)
    return opened


async def _open_once(needs: Needs, wallet: str, day: date) -> bool:
    try:
        await _open(needs, wallet, day)
    except IntegrityError:  # another worker's timer was faster
        return False
    return True


@transactional
async def _open(needs: Needs, wallet: str, day: date) -> None:
    now = needs.clock.now()
    bill_id = new_id()
    await DailyBill.create(id=bill_id, wallet=wallet, day=day, next_fetch_at=now, created_at=now, updated_at=now)
    await needs.outbox.publish(BillDue(bill_id))


async def fetch_bill(needs: Needs, *, bill_id: str) -> None:
    """Fetch a bill that is due, keep it and hold it against our books.

    OutsideError when the wallet does not answer; what it refuses for good fails the bill, not the handler.
    """
    bill = await DailyBill.get(id=bill_id)
    # A row handled again after a crash finds the next look on its way already.
    if bill.next_fetch_at > needs.clock.now():
        return
    bills = needs.bills.get(bill.wallet)
    if bills is None:
        raise Permanent(f"no provider brings the bills of {bill.wallet}")
    try:
        fetched = await bills.fetch(bill.day)
    except BillNotReady as error:
        if not (error.absent and await _is_empty_day(needs, bill)):
            await _again(needs, bill_id, BillState.DUE, "NOT_READY")
            return
        fetched = Bill(bill.wallet, bill.day, b"", ())
    except UnreadableBill as error:
        await _again(needs, bill_id, BillState.FAILED, f"UNREADABLE: {error}")
        return
    except OutsideError as error:
        if not error.permanent:
            raise
        await _again(needs, bill_id, BillState.FAILED, f"REFUSED: {error.code}")
        return
    await _keep(needs, bill_id, fetched)
    await conclude(needs, bill_id=bill_id)


async def _is_empty_day(needs: Needs, bill: DailyBill) -> bool:
    return is_empty_day(bill.day, needs.clock.now(), our_records=await reconciling.missing_of_day(bill))


@transactional
async def _again(needs: Needs, bill_id: str, state: BillState, why: str) -> None:
    """Nothing to believe came: say so, and ask again. What an earlier fetch brought is kept as it is."""
    bill = await DailyBill.select_for_update().get(id=bill_id)
    if bill.fetched_at is None or state is BillState.FAILED:
        bill.state = state.value
    bill.error = why[:_LONGEST_ERROR]
    await _schedule(needs, bill, FIRST_DAY_SECONDS if state is BillState.DUE else AGAIN_SECONDS)
    if state is BillState.FAILED:
        log.error("bill_failed", bill=bill_id, wallet=bill.wallet, why=bill.error)


async def _schedule(needs: Needs, bill: DailyBill, seconds: int) -> None:
    """Save a locked bill; it is looked at again while time may still heal it."""
    now = needs.clock.now()
    bill.fetches += 1
    bill.next_fetch_at = now + timedelta(seconds=seconds)
    bill.updated_at = now
    bill.version += 1
    await bill.save()
    if worth_another_look(bill.day, now):
        await needs.outbox.publish(BillDue(bill.id), delay_seconds=seconds)


@transactional
async def _keep(needs: Needs, bill_id: str, fetched: Bill) -> None:
    """The file once for each content, and the lines of the newest."""
    bill = await DailyBill.select_for_update().get(id=bill_id)
    digest = hashlib.sha256(fetched.raw).hexdigest() if fetched.raw else ""
    now = needs.clock.now()
    if digest and not await BillFile.exists(bill_id=bill_id, digest=digest):
        file_id = new_id()
        sealed = needs.cipher.seal_bytes(fetched.raw, (RAW_AT, file_id))
        await BillFile.create(id=file_id, bill=bill, digest=digest, raw_sealed=sealed, created_at=now)
    if bill.fetched_at is None or bill.digest != digest:
        await _replace_entries(bill, fetched)
    bill.digest, bill.fetched_at, bill.error = digest, now, ""
    await bill.save(update_fields=["digest", "fetched_at", "error"])


async def _replace_entries(bill: DailyBill, fetched: Bill) -> None:
    await BillEntry.filter(bill_id=bill.id).delete()
    await BillEntry.bulk_create(
        [
            BillEntry(
                id=new_id(),
                bill=bill,
                position=line.position,
                kind=line.kind.value,
                number=line.number,
                out_trade_no=line.out_trade_no,
                transaction_id=line.transaction_id,
                amount_fen=line.amount_fen,
                settled_fen=line.settled_fen,
                service_fee_fen=line.service_fee_fen,
                done_at=line.at,
                wallet_state=line.state,
            )
            for line in fetched.lines
        ],
        batch_size=500,
    )


async def conclude(needs: Needs, *, bill_id: str) -> None:
    """Hold a fetched bill against our books as they are now, and those beside it, whose midnights it explains."""
    bill = await DailyBill.get(id=bill_id)
    beside = DailyBill.filter(wallet=bill.wallet, day__in=[bill.day - timedelta(days=1), bill.day + timedelta(days=1)])
    for each_id in (bill_id, *await beside.order_by("day").values_list("id", flat=True)):
        await _match(needs, str(each_id))


@transactional
async def _match(needs: Needs, bill_id: str) -> None:
    bill = await DailyBill.select_for_update().get(id=bill_id)
    if bill.fetched_at is None:
        return
    await reconciling.match_locked(needs, bill)
    if bill.state == BillState.DIFFERS and bill.next_fetch_at <= needs.clock.now():
        await _schedule(needs, bill, AGAIN_SECONDS)
    else:
        await bill.save()
