"""Daily bills and their findings, for finance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kit.db import fetch
from kit.db.sql import as_utc
from payments.bill_models import NOTE_AT
from payments.bill_rules import BillState
from payments.bills.bill import LineKind, Totals
from payments.bills.matching import FindingKind
from payments.ports import Needs
from payments.rules import Fault

_BILL = (
    "SELECT id, wallet, day, state, error, digest, fetched_at, matched_at, theirs_payments, theirs_payments_fen, "
    "theirs_refunds, theirs_refunds_fen, theirs_settled_fen, service_fee_fen, ours_payments, ours_payments_fen, "
    "ours_refunds, ours_refunds_fen, unexplained FROM payments_bill"
)
_FINDING = (
    "SELECT f.id, f.bill_id, f.kind, f.line_kind, f.out_trade_no, f.transaction_id, f.out_refund_no, f.ours_fen, "
    "f.theirs_fen, f.position, f.order_ref AS order_id, f.discrepancy_ref AS discrepancy_id, d.fault, f.resolved_at, "
    "f.resolved_by, f.note_sealed, f.created_at FROM payments_bill_finding f "
    "LEFT JOIN payments_discrepancy d ON d.id = f.discrepancy_ref"
)


@dataclass(frozen=True, slots=True)
class BillView:
    """One wallet's bill of one day in China, beside our books of the same; `error` says why nothing came last time."""

    id: str
    wallet: str
    day: date
    state: BillState
    error: str
    digest: str
    fetched_at: datetime | None
    matched_at: datetime | None
    theirs: Totals
    ours: Totals
    unexplained: int

    @property
    def nothing_unexplained(self) -> bool:
        """Whether the day is done with: the bill was fetched, believed, and every fen of it is accounted for."""
        return self.state is BillState.MATCHED


@dataclass(frozen=True, slots=True)
class FindingView:
    """What did not fit; amounts in fen, None where a side has none. `fault` is the known discrepancy's."""

    id: str
    bill_id: str
    kind: FindingKind
    line_kind: LineKind
    out_trade_no: str
    transaction_id: str
    out_refund_no: str
    ours_fen: int | None
    theirs_fen: int | None
    position: int | None
    order_id: str | None
    discrepancy_id: str | None
    fault: Fault | None
    resolved_at: datetime | None
    resolved_by: str | None
    note: str | None
    created_at: datetime

    @property
    def open(self) -> bool:
        """Neither explained nor resolved."""
        return self.resolved_at is None and self.discrepancy_id is None


async def bills(needs: Needs, *, day: date | None = None, after: str = "", limit: int = 20) -> list[BillView]:
    """Bills in the order they were opened, all or those of one day; `after` is the last id of the page before."""
    of_day, params = ("AND day = ? ", [day.isoformat()]) if day else ("", [])
    rows = await fetch(f"{_BILL} WHERE id > ? {of_day}ORDER BY id LIMIT ?", [after, *params, limit])
    return [_bill(row) for row in rows]


async def bill(needs: Needs, *, bill_id: str) -> BillView | None:
    """One bill; None when there is none of that id."""
    rows = await fetch(f"{_BILL} WHERE id = ?", [bill_id])
    return _bill(rows[0]) if rows else None


async def findings(needs: Needs, *, bill_id: str, after: str = "", limit: int = 20) -> list[FindingView]:
    """What did not fit in a bill, resolved or not, in the order it was found."""
    rows = await fetch(f"{_FINDING} WHERE f.bill_id = ? AND f.id > ? ORDER BY f.id LIMIT ?", [bill_id, after, limit])
    return [_finding(needs, row) for row in rows]


async def finding(needs: Needs, *, finding_id: str) -> FindingView | None:
    """One finding; None when there is none of that id."""
    rows = await fetch(f"{_FINDING} WHERE f.id = ?", [finding_id])
    return _finding(needs, rows[0]) if rows else None


def _bill(row: Mapping[str, Any]) -> BillView:
    return BillView(
        id=row["id"],
        wallet=row["wallet"],
        day=date.fromisoformat(str(row["day"])[:10]),
        state=BillState(row["state"]),
        error=row["error"],
        digest=row["digest"],
        fetched_at=_moment(row["fetched_at"]),
        matched_at=_moment(row["matched_at"]),
        theirs=Totals(
            payments=row["theirs_payments"],
            payments_fen=row["theirs_payments_fen"],
            refunds=row["theirs_refunds"],
            refunds_fen=row["theirs_refunds_fen"],
            service_fee_fen=row["service_fee_fen"],
            settled_fen=row["theirs_settled_fen"],
        ),
        ours=Totals(
            payments=row["ours_payments"],
            payments_fen=row["ours_payments_fen"],
            refunds=row["ours_refunds"],
            refunds_fen=row["ours_refunds_fen"],
            settled_fen=row["ours_payments_fen"] - row["ours_refunds_fen"],
        ),
        unexplained=row["unexplained"],
    )


def _finding(needs: Needs, row: Mapping[str, Any]) -> FindingView:
    sealed = row["note_sealed"]
    rest = {name: value for name, value in row.items() if name != "note_sealed"}
    return FindingView(
        **{
            **rest,
            "kind": FindingKind(row["kind"]),
            "line_kind": LineKind(row["line_kind"]),
            "fault": Fault(row["fault"]) if row["fault"] else None,
            "resolved_at": _moment(row["resolved_at"]),
            "note": needs.cipher.open(sealed, (NOTE_AT, row["id"])) if sealed else None,
            "created_at": as_utc(row["created_at"]),
        }
    )


def _moment(value: Any) -> datetime | None:
    return as_utc(value) if value is not None else None
