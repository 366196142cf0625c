"""A day's reconciliation as a table for a terminal; amounts in yuan, as the wallets' own pages show them."""

import unicodedata
from collections.abc import Iterator, Sequence

from kit.money import yuan
from payments.bill_queries import BillView, FindingView
from payments.rules import wallet_text

_HEAD = ("", "账单笔数", "账单金额", "我方笔数", "我方金额", "相差")


def report(bill: BillView, findings: Sequence[FindingView]) -> Iterator[str]:
    """The lines of one bill: its totals beside ours, and every finding with what became of it."""
    yield f"{wallet_text(bill.wallet)} {bill.day}  {bill.state.text}"
    if bill.error:
        yield f"  {bill.error}"
    if bill.fetched_at is not None:
        theirs, ours = bill.theirs, bill.ours
        yield from _table(
            [
                _HEAD,
                _row("收款", theirs.payments, theirs.payments_fen, ours.payments, ours.payments_fen),
                _row("退款", theirs.refunds, theirs.refunds_fen, ours.refunds, ours.refunds_fen),
                ("手续费", "", yuan(theirs.service_fee_fen), "", "", ""),
                ("净额", "", yuan(theirs.net_fen), "", "", ""),
            ]
        )
    for each in findings:
        yield f"  {_mark(each)} {each.kind.text}：{_about(each)}"
    yield f"  未解释差异：{bill.unexplained}"


def _row(name: str, theirs: int, theirs_fen: int, ours: int, ours_fen: int) -> tuple[str, ...]:
    return name, str(theirs), yuan(theirs_fen), str(ours), yuan(ours_fen), yuan(theirs_fen - ours_fen)


def _mark(finding: FindingView) -> str:
    if finding.resolved_at is not None:
        return "[已处理]"
    return "[已知]" if finding.discrepancy_id else "[未解释]"


def _about(finding: FindingView) -> str:
    number = finding.out_refund_no or finding.out_trade_no or finding.transaction_id
    sides = f"账单 {_amount(finding.theirs_fen)}，我方 {_amount(finding.ours_fen)}"
    place = f"，账单第 {finding.position} 行" if finding.position else ""
    known = f"，{finding.fault.text}" if finding.fault else ""
    return f"{finding.line_kind.text} {number}，{sides}{place}{known}"


def _amount(fen: int | None) -> str:
    return "无" if fen is None else yuan(fen)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (" " * (width - _width(cell)) + cell for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Columns of a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
