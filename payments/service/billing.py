"""Daily bills: opened when they are due, fetched, kept, and asked for again while anything in them is unexplained.

A bill that is not there yet, or that cannot be believed, is no failure of a handler: it is asked for again by a new,
delayed event, and its row says why. Only a wallet that does not answer is left to the outbox's own patience.
"""

from datetime import date, timedelta

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import fetch, transactional
from kit.errors import OutsideError, Permanent
from kit.idempotency import RequestKey
from kit.ids import new_id
from kit.log import get_logger
from payments.bill_models import DailyBill
from payments.bill_rules import (
    AGAIN_SECONDS,
    FIRST_DAY_SECONDS,
    BillState,
    due_days,
    is_empty_day,
    worth_another_look,
)
from payments.bills.bill import Bill, UnreadableBill
from payments.errors import BillAskedForAnyway, BillNotFound
from payments.events import BillDue
from payments.ports import BillNotReady, Needs
from payments.service.books import missing_of_day
from payments.service.reconciling import look
from payments.service.storing import store

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
        # "There is none" never takes back a bill that was there: what it showed may be unknown to us.
        if bill.digest or not (error.absent and await _is_empty_day(needs, bill)):
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
    await store(needs, bill_id, fetched)
    await conclude(needs, bill_id=bill_id)


@transactional
async def fetch_again(needs: Needs, *, bill_id: str, staff_id: str, key: RequestKey) -> str:
    """Ask for a bill once more that is asked for no more by itself; answers its id.

    Wallets keep bills for three months, and what was in the way may have been put right after a week.
    Errors: BILL_NOT_FOUND, BILL_ASKED_FOR_ANYWAY.
    """
    bill = await DailyBill.select_for_update().get_or_none(id=bill_id)
    if bill is None:
        raise BillNotFound
    now = needs.clock.now()
    if worth_another_look(bill.day, now):
        raise BillAskedForAnyway
    bill.next_fetch_at = bill.updated_at = now
    bill.version += 1
    await bill.save(update_fields=["next_fetch_at", "updated_at", "version"])
    await record(
        actor=Actor("staff", staff_id), action="payments.bill_asked_again", subject=("payment_bill", bill_id), at=now
    )
    await needs.outbox.publish(BillDue(bill_id))
    await key.settle(result_id=bill_id, status=200)
    return bill_id


async def _is_empty_day(needs: Needs, bill: DailyBill) -> bool:
    return is_empty_day(bill.day, needs.clock.now(), our_records=await missing_of_day(bill))


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


async def conclude(needs: Needs, *, bill_id: str) -> None:
    """Hold a fetched bill against our books as they are now, and those beside it, whose midnights it explains."""
    bill = await DailyBill.get(id=bill_id)
    beside = DailyBill.filter(wallet=bill.wallet, day__in=[bill.day - timedelta(days=1), bill.day + timedelta(days=1)])
    looked_at = [bill_id, *map(str, await beside.order_by("day").values_list("id", flat=True))]
    wanting = [each_id for each_id in looked_at if await look(needs, each_id)]
    # Itself last: once its next look is on its way, a handler that crashes here has nothing left to repeat.
    for each_id in reversed(wanting):
        await _look_again(needs, each_id)


@transactional
async def _look_again(needs: Needs, bill_id: str) -> None:
    bill = await DailyBill.select_for_update().get(id=bill_id)
    if bill.next_fetch_at <= needs.clock.now():
        await _schedule(needs, bill, AGAIN_SECONDS)
