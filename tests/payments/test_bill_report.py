from dataclasses import replace
from datetime import UTC, date, datetime

from payments.bill_queries import BillView, FindingView
from payments.bill_report import report
from payments.bill_rules import BillState
from payments.bills.bill import LineKind, Totals
from payments.bills.matching import FindingKind
from payments.rules import Fault

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
BILL = BillView(
    id="b",
    wallet="wechat",
    day=date(2026, 11, 20),
    state=BillState.DIFFERS,
    error="",
    digest="d",
    fetched_at=NOW,
    matched_at=NOW,
    theirs=Totals(
        payments=12, payments_fen=123456, refunds=1, refunds_fen=8000, service_fee_fen=692, settled_fen=115456
    ),
    ours=Totals(payments=11, payments_fen=115456, refunds=1, refunds_fen=8000),
    unexplained=1,
)
FINDING = FindingView(
    id="f",
    bill_id="b",
    kind=FindingKind.MISSING_WITH_US,
    line_kind=LineKind.PAYMENT,
    out_trade_no="n1",
    transaction_id="t1",
    out_refund_no="",
    ours_fen=None,
    theirs_fen=8000,
    position=7,
    order_id=None,
    discrepancy_id=None,
    fault=None,
    resolved_at=None,
    resolved_by=None,
    note=None,
    created_at=NOW,
)


def test_the_table_stands_straight_and_tells_every_fen() -> None:
    lines = list(report(BILL, [FINDING]))
    assert lines == [
        "微信支付 2026-11-20  有差异",
        "          账单笔数  账单金额  我方笔数  我方金额   相差",
        "    收款        12   1234.56        11   1154.56  80.00",
        "    退款         1     80.00         1     80.00   0.00",
        "  手续费                6.92",
        "    净额             1147.64",
        "  [未解释] 账单有收款，我方没有：收款 n1，账单 80.00，我方 无，账单第 7 行",
        "  未解释差异：1",
    ]


def test_what_became_of_a_finding_is_marked() -> None:
    known = replace(FINDING, discrepancy_id="d", fault=Fault.PAID_TWICE)
    resolved = replace(known, resolved_at=NOW, kind=FindingKind.MISSING_IN_BILL, ours_fen=1, theirs_fen=None)
    shown = [line for line in report(BILL, [known, resolved]) if line.startswith("  [")]
    assert shown[0].startswith("  [已知] 账单有收款，我方没有")
    assert shown[0].endswith(f"，{Fault.PAID_TWICE.text}")
    assert shown[1].startswith("  [已处理] 我方有记录，账单没有")


def test_a_bill_that_is_not_there_shows_no_figures() -> None:
    waiting = replace(BILL, state=BillState.DUE, fetched_at=None, unexplained=0, error="NOT_READY")
    assert list(report(waiting, [])) == ["微信支付 2026-11-20  等待账单", "  NOT_READY", "  未解释差异：0"]
    assert not waiting.nothing_unexplained
