from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from kit.clock import day_begins
from kit.db import fetch
from kit.db.sql import as_utc
from payments.models import NOTE_AT, REASON_AT, Attempt, Refund
from payments.ports import ClientParams, Needs
from payments.refund_rules import RefundCause, RefundState
from payments.rules import AttemptState, Line, OrderState

_ORDER = (
    "SELECT o.id, o.purpose, o.subject_id, o.payer_id, o.amount_fen, o.state, o.version, s.wallet, s.transaction_id, "
    "s.paid_at, (SELECT SUM(r.amount_fen) FROM payments_refund r WHERE r.attempt_id = s.attempt_id "
    "AND r.state = 'succeeded') AS refunded_fen "
    "FROM payments_order o LEFT JOIN payments_settlement s ON s.order_id = o.id"
)
# A settlement without an attempt is an order of zero: no wallet knows a number of it.
_SETTLED = (
    "SELECT s.id, s.order_id, o.purpose, o.subject_id, s.wallet, COALESCE(a.out_trade_no, '') AS out_trade_no, "
    "s.transaction_id, s.amount_fen, s.paid_at FROM payments_settlement s JOIN payments_order o ON o.id = s.order_id "
    "LEFT JOIN payments_attempt a ON a.id = s.attempt_id"
)
_DISCREPANCY = (
    "SELECT id, fault, wallet, out_trade_no, transaction_id, order_ref AS order_id, attempt_ref AS attempt_id, "
    "refund_ref AS refund_id, expected_fen, reported_fen, resolved_at, resolved_by, note_sealed, created_at "
    "FROM payments_discrepancy"
)


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its lines; `wallet`, `transaction_id` and `paid_at` once it is settled. Amounts in fen.

    `refunded_fen` is what has gone back of the payment that settled it; a second payment given back is not in it.
    """

    id: str
    purpose: str
    subject_id: str
    payer_id: str
    amount_fen: int
    state: OrderState
    version: int
    lines: tuple[Line, ...]
    wallet: str | None
    transaction_id: str | None
    paid_at: datetime | None
    refunded_fen: int = 0


@dataclass(frozen=True, slots=True)
class AttemptView:
    """An attempt; `client_params` once the wallet has taken the order."""

    id: str
    order_id: str
    out_trade_no: str
    wallet: str
    amount_fen: int
    state: AttemptState
    client_params: ClientParams | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SettledView:
    """An order that was paid, as the day's books show it; `id` is the settlement's, the amount in fen."""

    id: str
    order_id: str
    purpose: str
    subject_id: str
    wallet: str
    out_trade_no: str
    transaction_id: str
    amount_fen: int
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class RefundView:
    """Money on its way back, or back; amounts in fen, `refusal` the wallet's last word against it.

    `decided_by` is the second person, where one was needed.
    """

    id: str
    order_id: str
    attempt_id: str
    wallet: str
    out_trade_no: str
    out_refund_no: str
    wallet_refund_id: str
    cause: RefundCause
    reason: str
    amount_fen: int
    state: RefundState
    refusal: str
    asked_by: str | None
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime
    refunded_at: datetime | None


@dataclass(frozen=True, slots=True)
class DiscrepancyView:
    """A wallet's word that was not taken as settlement; amounts in fen, None where nothing is known.

    `resolved_by` is None where it came right by itself.
    """

    id: str
    fault: str
    wallet: str
    out_trade_no: str
    transaction_id: str
    order_id: str | None
    attempt_id: str | None
    refund_id: str | None
    expected_fen: int | None
    reported_fen: int | None
    resolved_at: datetime | None
    resolved_by: str | None
    note: str | None
    created_at: datetime


async def order(needs: Needs, *, order_id: str, payer_id: str) -> OrderView | None:
    """The payer's own order; None when it is another's or nobody's."""
    return await _order(f"{_ORDER} WHERE o.id = ? AND o.payer_id = ?", [order_id, payer_id])


async def order_of(needs: Needs, *, purpose: str, subject_id: str) -> OrderView | None:
    """What is charged for a purpose of a subject; for other rooms, whoever the payer is."""
    return await _order(f"{_ORDER} WHERE o.slot = ?", [f"{purpose}:{subject_id}"])


async def _order(sql: str, params: list[str]) -> OrderView | None:
    rows = await fetch(sql, params)
    if not rows:
        return None
    row = rows[0]
    lines = await fetch(
        "SELECT code, name, amount_fen FROM payments_order_line WHERE order_id = ? ORDER BY position", [row["id"]]
    )
    paid_at = as_utc(row["paid_at"]) if row["paid_at"] is not None else None
    return OrderView(
        **{
            **row,
            "state": OrderState(row["state"]),
            "lines": tuple(Line(**line) for line in lines),
            "paid_at": paid_at,
            "refunded_fen": int(row["refunded_fen"] or 0),
        }
    )


async def attempt(needs: Needs, *, attempt_id: str, payer_id: str) -> AttemptView | None:
    """The payer's own attempt; None when it is another's or nobody's."""
    found = await Attempt.get_or_none(id=attempt_id, order__payer_id=payer_id)
    if found is None:
        return None
    return AttemptView(
        id=found.id,
        order_id=found.order_id,
        out_trade_no=found.out_trade_no,
        wallet=found.wallet,
        amount_fen=found.amount_fen,
        state=AttemptState(found.state),
        client_params=orjson.loads(found.client_params) if found.client_params else None,
        expires_at=found.expires_at,
    )


async def refund(needs: Needs, *, refund_id: str) -> RefundView | None:
    """One refund; for finance and for other rooms."""
    found = await Refund.get_or_none(id=refund_id).select_related("attempt")
    return _refund(needs, found) if found else None


async def refunds(needs: Needs, *, order_id: str) -> list[RefundView]:
    """The refunds of an order, oldest first."""
    found = await Refund.filter(order_id=order_id).select_related("attempt").order_by("id")
    return [_refund(needs, each) for each in found]


async def refunds_awaiting(needs: Needs, *, after: str = "", limit: int = 20) -> list[RefundView]:
    """Refunds that wait for a second person, oldest first; `after` is the last id of the page before."""
    waiting = Refund.filter(state=RefundState.AWAITING.value, id__gt=after)
    return [_refund(needs, each) for each in await waiting.select_related("attempt").order_by("id").limit(limit)]


def _refund(needs: Needs, found: Refund) -> RefundView:
    return RefundView(
        id=found.id,
        order_id=found.order_id,
        attempt_id=found.attempt_id,
        wallet=found.wallet,
        out_trade_no=found.attempt.out_trade_no,
        out_refund_no=found.out_refund_no,
        wallet_refund_id=found.wallet_refund_id,
        cause=RefundCause(found.cause),
        reason=needs.cipher.open(found.reason_sealed, (REASON_AT, found.id)),
        amount_fen=found.amount_fen,
        state=RefundState(found.state),
        refusal=found.refusal,
        asked_by=found.asked_by,
        decided_by=found.decided_by,
        decided_at=found.decided_at,
        created_at=found.created_at,
        refunded_at=found.refunded_at,
    )


async def discrepancies(
    needs: Needs, *, resolved: bool = False, after: str = "", limit: int = 20
) -> list[DiscrepancyView]:
    """Discrepancies that wait, or those that were resolved, oldest first; `after` is the last id of the page before."""
    which = "resolved_at IS NOT NULL" if resolved else "resolved_at IS NULL"
    rows = await fetch(f"{_DISCREPANCY} WHERE {which} AND id > ? ORDER BY id LIMIT ?", [after, limit])
    return [_discrepancy(needs, row) for row in rows]


async def discrepancy(needs: Needs, *, discrepancy_id: str) -> DiscrepancyView | None:
    """One discrepancy; None when there is none of that id."""
    rows = await fetch(f"{_DISCREPANCY} WHERE id = ?", [discrepancy_id])
    return _discrepancy(needs, rows[0]) if rows else None


def _discrepancy(needs: Needs, row: dict[str, Any]) -> DiscrepancyView:
    sealed, resolved_at = row["note_sealed"], row["resolved_at"]
    rest = {name: value for name, value in row.items() if name != "note_sealed"}
    return DiscrepancyView(
        **{
            **rest,
            "resolved_at": as_utc(resolved_at) if resolved_at is not None else None,
            "note": needs.cipher.open(sealed, (NOTE_AT, row["id"])) if sealed else None,
            "created_at": as_utc(row["created_at"]),
        }
    )


async def settled(needs: Needs, *, day: date, after: str = "", limit: int = 20) -> list[SettledView]:
    """What was paid on a day in China, oldest first; `after` is the last id of the page before."""
    begins = day_begins(day)
    rows = await fetch(
        f"{_SETTLED} WHERE s.paid_at >= ? AND s.paid_at < ? AND s.id > ? ORDER BY s.id LIMIT ?",
        [begins, begins + timedelta(days=1), after, limit],
    )
    return [SettledView(**{**row, "paid_at": as_utc(row["paid_at"])}) for row in rows]
