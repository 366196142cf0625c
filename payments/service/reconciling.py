"""A fetched bill held against our books; what differs is a finding, and stays one row however often it is found.

Reading and comparing hold no transaction, findings are written in portions. Each portion is written only while the
bill's row is as it was when the look began; whoever changed it meanwhile looks again, or is the one to look.
"""

import asyncio
from collections.abc import Iterator, Sequence

from kit.db import fetch, transactional
from kit.ids import new_id
from kit.log import get_logger
from payments.bill_models import BillFinding, DailyBill
from payments.bill_rules import BillState, state_of
from payments.bills.bill import LineKind, Totals, totals_of
from payments.bills.matching import Finding, FindingKind, Known, Matched, explanation, match
from payments.events import AttemptOpened
from payments.models import Attempt
from payments.ports import Needs
from payments.rules import AttemptState
from payments.service.books import books_for, in_portions, lines_of
from payments.service.storing import PORTION, Superseded

_LOOKS = 3
"""How often a look begins again because the bill changed under it, before the outbox is asked for patience."""
_DISCREPANCY = (
    "SELECT d.id, d.out_trade_no, d.transaction_id, COALESCE(r.out_refund_no, '') AS out_refund_no, d.reported_fen "
    "FROM payments_discrepancy d LEFT JOIN payments_refund r ON r.id = d.refund_ref WHERE d.wallet = ?"
)
_DOUBTED = [AttemptState.CLOSED.value, AttemptState.READY.value]
"""Closed, or asked about and without an answer yet."""
log = get_logger("payments")


async def look(needs: Needs, bill_id: str) -> bool:
    """Match a bill, write down what differs, and set its totals and state; whether another look is wanted.

    It is while anything is unexplained, and while a wallet is being asked about a payment that only the bill shows.
    Nothing happens to a bill that is not there, or of which only a part is. Raises Superseded when others keep
    changing it.
    """
    for _ in range(_LOOKS):
        bill = await DailyBill.get(id=bill_id)
        if bill.fetched_at is None or bill.storing:
            return False
        try:
            return await _look(needs, bill)
        except Superseded:
            log.info("bill_looked_at_again", bill=bill_id)
    raise Superseded


async def _look(needs: Needs, bill: DailyBill) -> bool:
    lines = await lines_of(bill)
    books = await books_for(bill, lines)
    matched, theirs = await asyncio.to_thread(lambda: (match(bill.day, lines, books), totals_of(lines)))
    asking = [await _write_down(needs, bill, portion) for portion in _portions(matched.findings)]
    await _close_gone(needs, bill, {finding.reference for finding in matched.findings})
    return await _conclude(needs, bill, theirs, matched) or any(asking)


def _portions(findings: Sequence[Finding]) -> Iterator[Sequence[Finding]]:
    for start in range(0, len(findings), PORTION):
        yield findings[start : start + PORTION]


async def _locked(seen: DailyBill) -> DailyBill:
    bill = await DailyBill.select_for_update().get(id=seen.id)
    if bill.version != seen.version:
        raise Superseded
    return bill


@transactional
async def _conclude(needs: Needs, seen: DailyBill, theirs: Totals, matched: Matched) -> bool:
    bill = await _locked(seen)
    await set_state(bill)
    _set_totals(bill, theirs, matched)
    now = needs.clock.now()
    bill.matched_at = bill.updated_at = now
    bill.version += 1
    if bill.unexplained:
        log.error("bill_differs", bill=bill.id, wallet=bill.wallet, unexplained=bill.unexplained)
    await bill.save()
    return bool(bill.state == BillState.DIFFERS)


async def set_state(bill: DailyBill) -> None:
    """Count what is neither explained nor resolved; a bill that failed meanwhile stays failed."""
    bill.unexplained = await BillFinding.filter(
        bill_id=bill.id, resolved_at__isnull=True, discrepancy_ref__isnull=True
    ).count()
    if bill.state != BillState.FAILED or not bill.error:
        bill.state = state_of(bill.unexplained).value


def _set_totals(bill: DailyBill, theirs: Totals, matched: Matched) -> None:
    bill.theirs_payments, bill.theirs_payments_fen = theirs.payments, theirs.payments_fen
    bill.theirs_refunds, bill.theirs_refunds_fen = theirs.refunds, theirs.refunds_fen
    bill.theirs_settled_fen, bill.service_fee_fen = theirs.settled_fen, theirs.service_fee_fen
    bill.ours_payments, bill.ours_payments_fen = matched.ours.payments, matched.ours.payments_fen
    bill.ours_refunds, bill.ours_refunds_fen = matched.ours.refunds, matched.ours.refunds_fen


@transactional
async def _write_down(needs: Needs, seen: DailyBill, findings: Sequence[Finding]) -> bool:
    await _locked(seen)
    known = await _known(seen.wallet, findings)
    wanted = {finding.reference: finding for finding in findings}
    rows = await BillFinding.filter(bill_id=seen.id, reference__in=list(wanted))
    for row in rows:
        finding = wanted.pop(row.reference)
        await _refresh(needs, row, finding, explanation(finding, known))
    made = [_created(needs, seen, each, explanation(each, known)) for each in wanted.values()]
    if made:
        await BillFinding.bulk_create(made)
    return await _ask_again(needs, seen.wallet, findings)


async def _ask_again(needs: Needs, wallet: str, findings: Sequence[Finding]) -> bool:
    """A number that its wallet closed and whose bill shows a payment: the wallet is asked what is true.

    Nothing else would ever ask about it again, and its payer has paid. Whether any answer is still to come: what it
    books stands in no look that was before it.
    """
    numbers = [each.out_trade_no for each in findings if _paid_unbooked(each)]
    doubted = Attempt.filter(wallet=wallet, out_trade_no__in=numbers, state__in=_DOUBTED)
    ids = [str(each) for each in await doubted.values_list("id", flat=True)] if numbers else []
    now = needs.clock.now()
    for attempt_id in ids:
        # A condition, since nobody else's lock is taken here: who settled it meanwhile is left alone.
        changed = await Attempt.filter(id=attempt_id, state=AttemptState.CLOSED.value).update(
            state=AttemptState.READY.value, next_poll_at=now, updated_at=now
        )
        if changed:
            await needs.outbox.publish(AttemptOpened(attempt_id))
    return bool(ids)


def _paid_unbooked(finding: Finding) -> bool:
    return finding.kind is FindingKind.STATE_DIFFERS and finding.line_kind is LineKind.PAYMENT


async def _close_gone(needs: Needs, seen: DailyBill, found: set[str]) -> None:
    """What was open and is found no more has come right by itself."""
    rows = await fetch(
        "SELECT id, reference FROM payments_bill_finding WHERE bill_id = ? AND resolved_at IS NULL", [seen.id]
    )
    gone = [row["id"] for row in rows if row["reference"] not in found]
    for start in range(0, len(gone), PORTION):
        await _close(needs, seen, gone[start : start + PORTION])


@transactional
async def _close(needs: Needs, seen: DailyBill, ids: Sequence[str]) -> None:
    await _locked(seen)
    now = needs.clock.now()
    await BillFinding.filter(id__in=list(ids), resolved_at=None).update(resolved_at=now, updated_at=now)


async def _known(wallet: str, findings: Sequence[Finding]) -> list[Known]:
    numbers = {number for each in findings for number in (each.transaction_id, each.out_refund_no)}
    rows = await in_portions(f"{_DISCREPANCY} AND d.transaction_id", wallet, numbers)
    rows += await in_portions(f"{_DISCREPANCY} AND r.out_refund_no", wallet, numbers)
    rows += await in_portions(f"{_DISCREPANCY} AND d.out_trade_no", wallet, {each.out_trade_no for each in findings})
    return [Known(**row) for row in rows]


def _created(needs: Needs, bill: DailyBill, finding: Finding, why: str | None) -> BillFinding:
    now = needs.clock.now()
    return BillFinding(
        id=new_id(),
        bill_id=bill.id,
        reference=finding.reference,
        kind=finding.kind.value,
        line_kind=finding.line_kind.value,
        out_trade_no=finding.out_trade_no,
        transaction_id=finding.transaction_id,
        out_refund_no=finding.out_refund_no,
        ours_fen=finding.ours_fen,
        theirs_fen=finding.theirs_fen,
        position=finding.position,
        order_ref=finding.order_id,
        discrepancy_ref=why,
        created_at=now,
        updated_at=now,
    )


async def _refresh(needs: Needs, row: BillFinding, finding: Finding, why: str | None) -> None:
    """What staff resolved stays so while it is about the same money; what was found gone is open again."""
    now_is = (finding.ours_fen, finding.theirs_fen, finding.position, finding.order_id, why)
    same_money = (row.ours_fen, row.theirs_fen) == (finding.ours_fen, finding.theirs_fen)
    if row.resolved_at is not None and not (row.resolved_by and same_money):
        row.update_from_dict({"resolved_at": None, "resolved_by": None, "note_sealed": None})
    elif (row.ours_fen, row.theirs_fen, row.position, row.order_ref, row.discrepancy_ref) == now_is:
        return
    row.ours_fen, row.theirs_fen, row.position, row.order_ref, row.discrepancy_ref = now_is
    row.updated_at = needs.clock.now()
    await row.save()
