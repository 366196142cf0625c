"""What a bill is held against: its own lines, our books of its day and of what it names, the bills beside it.

SQL text throughout: a day may have a hundred thousand rows, of which model objects would cost ten times as much.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from kit.clock import day_begins, local_date
from kit.db import fetch
from kit.db.sql import as_utc
from payments.bill_models import DailyBill
from payments.bills.bill import BillLine, LineKind
from payments.bills.matching import Books, Key, Ours
from payments.refund_rules import RefundState

_PAGE = 2000
_SLICE = timedelta(minutes=15)
_PORTION = 500
# Of an abnormal refund the money has left the merchant all the same; a bill never says how it went on.
_BOOKED = frozenset({RefundState.PROCESSING, RefundState.SUCCEEDED, RefundState.ABNORMAL})
_LINE = (
    "SELECT position, kind, number, out_trade_no, transaction_id, amount_fen, settled_fen, service_fee_fen, done_at, "
    "wallet_state FROM payments_bill_entry WHERE bill_id = ? AND position > ? ORDER BY position LIMIT ?"
)
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
# From this bill's lines to the others': each is one look into the index of numbers.
_BESIDE = (
    "SELECT e.kind, e.number, e.bill_id FROM payments_bill_entry mine "
    "JOIN payments_bill_entry e ON e.number = mine.number "
    "WHERE mine.bill_id = ? AND mine.position > ? AND mine.position <= ? AND e.bill_id <> mine.bill_id"
)
# By number alone: joined with the bills, the database may well read all lines of a wallet for every portion.
_IN_BILLS = "SELECT kind, number, bill_id FROM payments_bill_entry WHERE bill_id <> ? AND number"


async def lines_of(bill: DailyBill) -> list[BillLine]:
    """The lines that are kept of a bill, in its order."""
    lines: list[BillLine] = []
    while True:
        rows = await fetch(_LINE, [bill.id, lines[-1].position if lines else 0, _PAGE])
        lines += map(_line, rows)
        if len(rows) < _PAGE:
            return lines


def _line(row: dict[str, Any]) -> BillLine:
    kind = LineKind(row["kind"])
    return BillLine(
        kind=kind,
        position=row["position"],
        out_trade_no=row["out_trade_no"],
        transaction_id=row["transaction_id"],
        out_refund_no=row["number"] if kind is LineKind.REFUND else "",
        amount_fen=row["amount_fen"],
        settled_fen=row["settled_fen"],
        service_fee_fen=row["service_fee_fen"],
        at=as_utc(row["done_at"]),
        state=row["wallet_state"],
    )


async def books_of_day(wallet: str, day: date) -> list[Ours]:
    """What our books have of a day in China: payments when made, refunds when taken on by the wallet."""
    at, ends = day_begins(day), day_begins(day) + timedelta(days=1)
    refunds = await fetch(f"{_REFUND} AND {_TAKEN} >= ? AND {_TAKEN} < ?", [wallet, at, ends])
    found = [*map(_refund, refunds)]
    while at < ends:  # in slices, so that other work gets its turn in between
        payments = await fetch(f"{_PAYMENT} AND s.paid_at >= ? AND s.paid_at < ?", [wallet, at, at + _SLICE])
        found += map(_payment, payments)
        at += _SLICE
    return found


async def missing_of_day(bill: DailyBill) -> int:
    """How many movements of the day our books have that stand in no bill fetched so far."""
    ours = [each.key for each in await books_of_day(bill.wallet, bill.day) if each.booked]
    others = await _in_other_bills(bill, ours)
    return sum(key not in others for key in ours)


async def books_for(bill: DailyBill, lines: Sequence[BillLine]) -> Books:
    """All that the lines may be about, whatever day it is of, and what of our day they do not name."""
    by_key = {ours.key: ours for ours in await books_of_day(bill.wallet, bill.day)}
    of_day = list(by_key)
    unmet = [line for line in lines if line.key not in by_key]
    paid = {line.transaction_id for line in unmet if line.kind is LineKind.PAYMENT}
    refunded = {line.out_refund_no for line in unmet if line.kind is LineKind.REFUND}
    named = [_payment(row) for row in await in_portions(f"{_PAYMENT} AND s.transaction_id", bill.wallet, paid)]
    named += [_refund(row) for row in await in_portions(f"{_REFUND} AND r.out_refund_no", bill.wallet, refunded)]
    by_key |= {ours.key: ours for ours in named}
    strange = {line.out_trade_no for line in unmet if line.key not in by_key}
    attempts = [_attempt(row) for row in await in_portions(f"{_ATTEMPT} AND a.out_trade_no", bill.wallet, strange)]
    others = await _beside(bill, lines)
    told = {line.key for line in lines}
    for key, days in (await _in_other_bills(bill, [key for key in of_day if key not in told])).items():
        others.setdefault(key, []).extend(days)
    return Books(
        by_key=by_key,
        by_number={ours.out_trade_no: ours for ours in attempts},
        elsewhere=frozenset(others),
        earlier=frozenset(key for key, days in others.items() if min(days) < bill.day),
    )


async def _beside(bill: DailyBill, lines: Sequence[BillLine]) -> dict[Key, list[date]]:
    """Which of the bill's own lines stand in other days' bills of this wallet too, and of which days."""
    rows: list[dict[str, Any]] = []
    for start in range(0, lines[-1].position if lines else 0, _PAGE):
        rows += await fetch(_BESIDE, [bill.id, start, start + _PAGE])
    return await _days(bill, rows)


async def _in_other_bills(bill: DailyBill, keys: Iterable[Key]) -> dict[Key, list[date]]:
    """Which of these movements stand in other days' bills of this wallet, and of which days."""
    return await _days(bill, await in_portions(_IN_BILLS, bill.id, {number for _, number in keys}))


async def _days(bill: DailyBill, rows: Sequence[dict[str, Any]]) -> dict[Key, list[date]]:
    """By movement, the days of this wallet's bills that have it; lines of the other wallet's bills are passed over."""
    bills = await fetch("SELECT id, day FROM payments_bill WHERE wallet = ?", [bill.wallet]) if rows else []
    days = {each["id"]: date.fromisoformat(str(each["day"])[:10]) for each in bills}
    found: dict[Key, list[date]] = {}
    for row in rows:
        if row["bill_id"] in days:
            found.setdefault((LineKind(row["kind"]), row["number"]), []).append(days[row["bill_id"]])
    return found


async def in_portions(sql: str, first: str, values: Iterable[str]) -> list[dict[str, Any]]:
    """The rows whose last named column is one of the values, a portion at a time; `first` fills the mark before it."""
    wanted = sorted(set(values) - {""})
    rows: list[dict[str, Any]] = []
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        rows += await fetch(f"{sql} IN ({', '.join('?' * len(portion))})", [first, *portion])
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
