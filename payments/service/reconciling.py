"""A fetched bill held against our books; what differs is a finding, and stays one row however often it is found."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from kit.clock import day_begins, local_date
from kit.db import fetch
from kit.db.sql import as_utc
from kit.ids import new_id
from kit.log import get_logger
from payments.bill_models import BillEntry, BillFinding, DailyBill
from payments.bill_rules import BillState, state_of
from payments.bills.bill import BillLine, LineKind, Totals, totals_of
from payments.bills.matching import Books, Finding, Key, Known, Matched, Ours, explanation, match
from payments.ports import Needs
from payments.refund_rules import RefundState

_PORTION = 500
# Of an abnormal refund the money has left the merchant all the same; a bill never says how it went on.
_BOOKED = frozenset({RefundState.PROCESSING, RefundState.SUCCEEDED, RefundState.ABNORMAL})
_PAYMENT = (
    "SELECT COALESCE(a.out_trade_no, '') AS out_trade_no, s.transaction_id, s.amount_fen, s.paid_at AS moment, "
    "s.order_id FROM payments_settlement s LEFT JOIN payments_attempt a ON a.id = s.attempt_id WHERE s.wallet = ?"
)
_ATTEMPT = (
    "SELECT a.out_trade_no, COALESCE(s.transaction_id, '') AS transaction_id, a.amount_fen, "
    "COALESCE(s.paid_at, a.created_at) AS moment, a.order_id, s.id AS settlement_id FROM payments_attempt a "
    "LEFT JOIN payments_settlement s ON s.attempt_id = a.id WHERE a.wallet = ?"
)
_TAKEN = "COALESCE(r.taken_at, r.created_at)"
_REFUND = (
    f"SELECT a.out_trade_no, r.out_refund_no, r.amount_fen, {_TAKEN} AS moment, r.state, r.order_id "  # noqa: S608 - ours
    "FROM payments_refund r JOIN payments_attempt a ON a.id = r.attempt_id WHERE r.wallet = ?"
)
_DISCREPANCY = (
    "SELECT d.id, d.out_trade_no, d.transaction_id, COALESCE(r.out_refund_no, '') AS out_refund_no, d.reported_fen "
    "FROM payments_discrepancy d LEFT JOIN payments_refund r ON r.id = d.refund_ref WHERE d.wallet = ?"
)
log = get_logger("payments")


async def match_locked(needs: Needs, bill: DailyBill) -> None:
    """Match a locked bill, write down what differs, and set its totals and state; the caller saves it."""
    lines = await _lines(bill)
    matched = match(bill.day, lines, await _books(bill, lines))
    await _write_down(needs, bill, matched.findings)
    await set_state(bill)
    _set_totals(bill, totals_of(lines), matched)
    now = needs.clock.now()
    bill.matched_at = bill.updated_at = now
    bill.version += 1
    if bill.unexplained:
        log.error("bill_differs", bill=bill.id, wallet=bill.wallet, unexplained=bill.unexplained)


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


async def _lines(bill: DailyBill) -> list[BillLine]:
    return [
        BillLine(
            kind=LineKind(entry.kind),
            position=entry.position,
            out_trade_no=entry.out_trade_no,
            transaction_id=entry.transaction_id,
            out_refund_no=entry.number if entry.kind == LineKind.REFUND else "",
            amount_fen=entry.amount_fen,
            settled_fen=entry.settled_fen,
            service_fee_fen=entry.service_fee_fen,
            at=entry.done_at,
            state=entry.wallet_state,
        )
        for entry in await BillEntry.filter(bill_id=bill.id).order_by("position")
    ]


async def books_of_day(wallet: str, day: date) -> list[Ours]:
    """What our books have of a day in China: payments when made, refunds when taken on by the wallet."""
    begins = day_begins(day)
    span = [wallet, begins, begins + timedelta(days=1)]
    payments = await fetch(f"{_PAYMENT} AND s.paid_at >= ? AND s.paid_at < ?", span)
    refunds = await fetch(f"{_REFUND} AND {_TAKEN} >= ? AND {_TAKEN} < ?", span)
    return [*map(_payment, payments), *map(_refund, refunds)]


async def missing_of_day(bill: DailyBill) -> int:
    """How many movements of the day our books have that stand in no bill fetched so far."""
    ours = [each.key for each in await books_of_day(bill.wallet, bill.day) if each.booked]
    others = await _other_bills(bill, ours)
    return sum(key not in others for key in ours)


async def _books(bill: DailyBill, lines: Sequence[BillLine]) -> Books:
    of_day = await books_of_day(bill.wallet, bill.day)
    paid = {line.transaction_id for line in lines if line.kind is LineKind.PAYMENT}
    refunded = {line.out_refund_no for line in lines if line.kind is LineKind.REFUND}
    named = [_payment(row) for row in await _in(f"{_PAYMENT} AND s.transaction_id", bill.wallet, paid)]
    named += [_refund(row) for row in await _in(f"{_REFUND} AND r.out_refund_no", bill.wallet, refunded)]
    by_key = {ours.key: ours for ours in (*of_day, *named)}
    strange = {line.out_trade_no for line in lines if line.key not in by_key}
    attempts = [_attempt(row) for row in await _in(f"{_ATTEMPT} AND a.out_trade_no", bill.wallet, strange)]
    others = await _other_bills(bill, [*by_key, *(line.key for line in lines)])
    return Books(
        by_key=by_key,
        by_number={ours.out_trade_no: ours for ours in attempts},
        elsewhere=frozenset(others),
        earlier=frozenset(key for key, days in others.items() if min(days) < bill.day),
    )


async def _other_bills(bill: DailyBill, keys: Iterable[Key]) -> dict[Key, list[date]]:
    """Which of these movements stand in other days' bills of this wallet, and of which days."""
    rows = await _in(
        "SELECT e.kind, e.number, b.day FROM payments_bill_entry e JOIN payments_bill b ON b.id = e.bill_id "
        "WHERE b.wallet = ? AND e.number",
        bill.wallet,
        {number for _, number in keys},
    )
    found: dict[Key, list[date]] = {}
    for row in rows:
        day = date.fromisoformat(str(row["day"])[:10])
        if day != bill.day:
            found.setdefault((LineKind(row["kind"]), row["number"]), []).append(day)
    return found


async def _in(sql: str, wallet: str, values: Iterable[str]) -> list[dict[str, Any]]:
    """The rows whose last named column is one of the values, a portion of them at a time."""
    wanted = sorted(set(values) - {""})
    rows: list[dict[str, Any]] = []
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        rows += await fetch(f"{sql} IN ({', '.join('?' * len(portion))})", [wallet, *portion])
    return rows


def _payment(row: dict[str, Any]) -> Ours:
    return Ours(
        kind=LineKind.PAYMENT,
        out_trade_no=row["out_trade_no"],
        transaction_id=row["transaction_id"],
        amount_fen=row["amount_fen"],
        day=local_date(as_utc(row["moment"])),
        order_id=row["order_id"],
    )


def _attempt(row: dict[str, Any]) -> Ours:
    return replace(_payment(row), booked=row["settlement_id"] is not None)


def _refund(row: dict[str, Any]) -> Ours:
    return Ours(
        kind=LineKind.REFUND,
        out_trade_no=row["out_trade_no"],
        transaction_id="",
        out_refund_no=row["out_refund_no"],
        amount_fen=row["amount_fen"],
        day=local_date(as_utc(row["moment"])),
        booked=row["state"] in _BOOKED,
        order_id=row["order_id"],
    )


async def _write_down(needs: Needs, bill: DailyBill, findings: Sequence[Finding]) -> None:
    known = await _known(bill.wallet, findings)
    rows = {row.reference: row for row in await BillFinding.filter(bill_id=bill.id)}
    for finding in findings:
        why = explanation(finding, known)
        row = rows.pop(finding.reference, None)
        if row is None:
            await _create(needs, bill, finding, why)
        else:
            await _refresh(needs, row, finding, why)
    now = needs.clock.now()
    for gone in rows.values():
        if gone.resolved_at is None:
            gone.resolved_at = gone.updated_at = now
            await gone.save(update_fields=["resolved_at", "updated_at"])


async def _known(wallet: str, findings: Sequence[Finding]) -> list[Known]:
    numbers = {number for each in findings for number in (each.transaction_id, each.out_refund_no)}
    rows = await _in(f"{_DISCREPANCY} AND d.transaction_id", wallet, numbers)
    rows += await _in(f"{_DISCREPANCY} AND r.out_refund_no", wallet, numbers)
    rows += await _in(f"{_DISCREPANCY} AND d.out_trade_no", wallet, {each.out_trade_no for each in findings})
    return [Known(**row) for row in rows]


async def _create(needs: Needs, bill: DailyBill, finding: Finding, why: str | None) -> None:
    now = needs.clock.now()
    await BillFinding.create(
        id=new_id(),
        bill=bill,
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
    same_money = (row.ours_fen, row.theirs_fen) == (finding.ours_fen, finding.theirs_fen)
    if row.resolved_at is not None and not (row.resolved_by and same_money):
        row.update_from_dict({"resolved_at": None, "resolved_by": None, "note_sealed": None})
    row.ours_fen, row.theirs_fen, row.position = finding.ours_fen, finding.theirs_fen, finding.position
    row.order_ref, row.discrepancy_ref = finding.order_id, why
    row.updated_at = needs.clock.now()
    await row.save()
