from datetime import UTC, date, datetime
from pathlib import Path

from payments.bill_queries import BillView, FindingView
from payments.bill_report import report
from payments.bill_rules import BillState
from payments.bills.bill import LineKind, Totals
from payments.bills.matching import FindingKind
from payments.refund_rules import RefundState
from payments.rules import Fault

PAGE = (Path(__file__).parents[2] / "docs" / "finance.zh-CN.md").read_text(encoding="utf-8")


def test_every_word_that_finance_reads_is_explained() -> None:
    words = [each.text for kind in (BillState, FindingKind, RefundState, Fault) for each in kind]
    assert [word for word in words if word not in PAGE] == []


def test_the_report_shown_is_one_that_is_printed() -> None:
    at = datetime(2026, 11, 21, 2, 31, tzinfo=UTC)
    bill = BillView(
        id="1",
        wallet="wechat",
        day=date(2026, 11, 20),
        state=BillState.DIFFERS,
        error="",
        digest="",
        fetched_at=at,
        matched_at=at,
        theirs=Totals(
            payments=131,
            payments_fen=1_048_000,
            refunds=1,
            refunds_fen=8000,
            service_fee_fen=6240,
            settled_fen=1_040_000,
        ),
        ours=Totals(payments=130, payments_fen=1_040_000, refunds=1, refunds_fen=8000),
        unexplained=1,
    )
    finding = FindingView(
        id="2",
        bill_id="1",
        kind=FindingKind.MISSING_WITH_US,
        line_kind=LineKind.PAYMENT,
        out_trade_no="console20261120",
        transaction_id="4200002900202611200000000001",
        out_refund_no="",
        ours_fen=None,
        theirs_fen=8000,
        position=87,
        order_id=None,
        discrepancy_id=None,
        fault=None,
        resolved_at=None,
        resolved_by=None,
        note=None,
        created_at=at,
    )
    assert "\n".join(report(bill, [finding])) in PAGE
