"""Alipay's trade bill: a zip of two GBK files, the day's details and their summary.

Lines beginning with `#` are remarks, cells are padded with tabs, columns are found by name. Refunds and fees are
written negative. What the details' closing remarks and the summary tell is checked against the rows.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from kit.money import from_yuan
from payments.bills.bill import Bill, BillLine, LineKind, UnreadableBill
from payments.bills.cells import Row, Sums, check_day, check_sum, checked_header, lines_of
from payments.bills.unpacking import members

WALLET = "alipay"
_TRADE, _REFUND = "交易", "退款"
_TRADE_NO, _ORDERED, _RECEIVED, _FEE = "支付宝交易号", "订单金额", "商家实收", "服务费"
_REFUND_NUMBERS = ("退款批次号/请求号", "退款批次号", "退款请求号")
_TRADES, _REFUNDS, _TOTAL = "交易订单总笔数", "退款订单总笔数", "合计"
_SHOP = "门店编号"
_UNIT = re.compile(r"[（(]元[）)]$")
_ACCOUNT = re.compile(r"^#账号[:：]\s*[\[［]([0-9]{16})")
_CLOSING = re.compile(rf"^#+({_TRADE}|{_REFUND})合计[:：]\s*([0-9]+)\s*笔.*?共\s*(-?[0-9.]+)\s*元")


def parse(raw: bytes, *, day: date, seller_id: str) -> Bill:
    """The bill of `day` from its zip.

    UnreadableBill when a sum, a money column or the account is not what it must be, or no summary comes along.
    """
    details: Bill | None = None
    told: _Sheet | None = None
    summary: list[Row] = []
    sums = Sums((_ORDERED, _RECEIVED, _FEE))
    for content in members(raw):
        sheet = _Sheet(content)
        if _TRADE_NO in sheet.columns and details is None:
            details = _details(sheet, sums, raw, day, seller_id)
        elif _TRADES in sheet.columns and told is None:
            told, summary = sheet, list(sheet.rows("the summary's line"))
        else:
            raise UnreadableBill("the zip holds a file that is neither the details nor the summary, or one twice")
    if details is None or told is None:
        raise UnreadableBill("the zip holds no details, or no summary")
    _check_account(told.remarks, seller_id)
    _check_summary(summary, sums, details.lines)
    return details


def _details(sheet: "_Sheet", sums: Sums, raw: bytes, day: date, seller_id: str) -> Bill:
    lines: list[BillLine] = []
    for position, row in enumerate(sheet.rows("line"), start=1):
        lines.append(_line(row, position))
        sums.add(row)
    _check_account(sheet.remarks, seller_id)
    check_day(lines, day)
    _check_closing(sheet.remarks, lines)
    return Bill(WALLET, day, raw, tuple(lines))


class _Sheet:
    """One file: its columns at once, its rows as they are asked for; all remarks once the rows are read."""

    def __init__(self, content: bytes) -> None:
        self.remarks: list[str] = []
        self._cells = csv.reader(self._shown(content), strict=True)
        names = [_UNIT.sub("", cell.strip()) for cell in self._next() or ()]
        # Some layouts end every line with a comma, and some only the header.
        while names and not names[-1]:
            names.pop()
        self.columns = checked_header(names)

    def _shown(self, content: bytes) -> Iterator[str]:
        for line in lines_of(content, "gb18030"):
            if line.lstrip().startswith("#"):
                self.remarks.append(line.strip())
            else:
                yield line

    def _next(self) -> list[str] | None:
        try:
            return next(self._cells, None)
        except csv.Error:
            raise UnreadableBill("a file of the bill is no CSV") from None

    def rows(self, place: str) -> Iterator[Row]:
        """The rows under the header; `place` is what an error calls one of them."""
        number = 0
        while (cells := self._next()) is not None:
            number += 1
            yield Row(self.columns, _fitted(cells, len(self.columns)), f"{place} {number}")


def _fitted(cells: list[str], width: int) -> list[str]:
    return cells[:width] if not any(cell.strip() for cell in cells[width:]) else cells


def _check_account(remarks: Iterable[str], seller_id: str) -> None:
    """The account is named in a remark; a bill that names none is taken for whose key asked for it."""
    for remark in remarks:
        found = _ACCOUNT.match(remark)
        if found and found[1] != seller_id:
            raise UnreadableBill("the bill is another account's")


def _line(row: Row, position: int) -> BillLine:
    kind = row.text("业务类型")
    if kind not in {_TRADE, _REFUND}:
        raise UnreadableBill(f"{row.place}: a kind of business that we do not know")
    sign = 1 if kind == _TRADE else -1
    amount, received = sign * row.fen(_ORDERED), sign * row.fen(_RECEIVED)
    if amount < 0 or received < 0:
        raise UnreadableBill(f"{row.place}: the amount has the sign of the other kind of business")
    return BillLine(
        kind=LineKind.PAYMENT if kind == _TRADE else LineKind.REFUND,
        position=position,
        out_trade_no=row.text("商户订单号"),
        transaction_id=row.text(_TRADE_NO),
        out_refund_no=_refund_number(row) if kind == _REFUND else "",
        amount_fen=amount,
        settled_fen=received,
        service_fee_fen=-row.fen(_FEE),
        at=row.moment("完成时间"),
        state=kind,
    )


def _refund_number(row: Row) -> str:
    """The merchant's own number of the refund."""
    found = next(filter(None, map(row.optional, _REFUND_NUMBERS)), "")
    if not found:
        raise UnreadableBill(f"{row.place}: a refund without its number")
    return found


def _check_closing(remarks: Iterable[str], lines: Sequence[BillLine]) -> None:
    """The remarks under the rows, where they are: numbers and what the merchant received or gave back."""
    for remark in remarks:
        found = _CLOSING.match(remark)
        if found is None:
            continue
        kind = LineKind.PAYMENT if found[1] == _TRADE else LineKind.REFUND
        meant = [line for line in lines if line.kind is kind]
        check_sum(f"{found[1]}合计（笔）", lines=len(meant), told=int(found[2]))
        check_sum(f"{found[1]}合计（分）", lines=sum(line.settled_fen for line in meant), told=abs(_yuan(found[3])))


def _yuan(text: str) -> int:
    try:
        return from_yuan(text)
    except ValueError:
        raise UnreadableBill("a closing remark tells no amount in yuan") from None


def _check_summary(summary: Sequence[Row], sums: Sums, lines: Sequence[BillLine]) -> None:
    """The summary's total, or all its rows where it has none."""
    totals = [row for row in summary if row.optional(_SHOP).startswith(_TOTAL)] or list(summary)
    if len(totals) > 1 and len(totals) != len(summary):
        raise UnreadableBill("the summary has two totals")
    payments = sum(line.kind is LineKind.PAYMENT for line in lines)
    check_sum(_TRADES, lines=payments, told=sum(row.count(_TRADES) for row in totals))
    check_sum(_REFUNDS, lines=len(lines) - payments, told=sum(row.count(_REFUNDS) for row in totals))
    for column, fen in sums.fen.items():
        check_sum(column, lines=fen, told=sum(row.fen(column) for row in totals))
