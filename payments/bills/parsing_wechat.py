"""WeChat Pay's trade bill (bill_type ALL): a header, rows of cells behind backticks, a summary's header and its row.

Columns are found by name, since layouts differ between merchants and years; the summary is checked against the rows.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date

from payments.bills.bill import Bill, BillLine, LineKind, UnreadableBill
from payments.bills.cells import Columns, Row, Sums, check_day, check_sum, checked_header, lines_of
from payments.bills.unpacking import gunzipped

WALLET = "wechat"
_SUMMARY_BEGINS = "总交易单数"
_COUNT = "总交易单数"
# The summary's column -> the column of the rows that it adds up; those every bill must have, and those some have.
_SUMS = {
    "应结订单总金额": "应结订单金额",
    "退款总金额": "退款金额",
    "手续费总金额": "手续费",
    "订单总金额": "订单金额",
    "申请退款总金额": "申请退款金额",
}
_FURTHER_SUMS = {"充值券退款总金额": "充值券退款金额"}
_PAID = "SUCCESS"
_GIVEN_BACK = frozenset({"REFUND", "REVOKED"})
_CURRENCY = "CNY"


def parse(raw: bytes, *, day: date, merchant_id: str, digest: str | None = None) -> Bill:
    """The bill of `day` from its file, gzip or plain; `digest` is the SHA-1 in hex that was told of the plain content.

    UnreadableBill when the digest, a sum, a money column, the merchant or the currency is not what it must be.
    """
    content = gunzipped(raw)
    if digest is not None and not hmac.compare_digest(_sha1(content), digest.strip().lower()):
        raise UnreadableBill("the file is not the one whose digest was told")
    found = lines_of(content, "utf-8-sig")
    header = checked_header(next(found, "").split(","))
    sums = _sums(header)
    lines: list[BillLine] = []
    for text in found:
        if text.startswith(_SUMMARY_BEGINS):
            _check_summary(_summary(text, found), header, sums)
            check_day(lines, day)
            return Bill(WALLET, day, raw, tuple(lines))
        position = len(lines) + 1
        row = Row(header, _cells(text), f"line {position}")
        lines.append(_line(row, position, merchant_id))
        sums.add(row)
    raise _no_end()


def _no_end() -> UnreadableBill:
    return UnreadableBill("the bill does not end with one summary")


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()  # noqa: S324 - the wallet's choice; TLS is what protects the file


def _sums(header: Columns) -> Sums:
    for column in _SUMS.values():
        if column not in header:
            raise UnreadableBill(f"there is no column {column}")
    return Sums(column for column in (_SUMS | _FURTHER_SUMS).values() if column in header)


def _summary(header: str, rest: Iterator[str]) -> Row:
    """The one row under the summary's header, with which the file ends."""
    row = next(rest, None)
    if row is None or next(rest, None) is not None:
        raise _no_end()
    return Row(checked_header(header.split(",")), _cells(row), "the summary")


def _cells(line: str) -> list[str]:
    """Every cell begins with a backtick, so that a comma inside one, as in a product's name, divides nothing."""
    if not line.startswith("`"):
        raise UnreadableBill("a row does not begin with a backtick")
    return line[1:].split(",`")


def _line(row: Row, position: int, merchant_id: str) -> BillLine:
    if row.text("商户号") != merchant_id:
        raise UnreadableBill(f"{row.place} is another merchant's")
    if row.text("货币种类") != _CURRENCY:
        raise UnreadableBill(f"{row.place} is not in {_CURRENCY}")
    state = row.text("交易状态")
    if state == _PAID:
        return _payment(row, position, state)
    if state in _GIVEN_BACK:
        return _refund(row, position)
    raise UnreadableBill(f"{row.place}: a state of trade that we do not know")


def _payment(row: Row, position: int, state: str) -> BillLine:
    if row.fen("退款金额") or row.fen("申请退款金额"):
        raise UnreadableBill(f"{row.place} is a payment and a refund at once")
    return BillLine(
        kind=LineKind.PAYMENT,
        position=position,
        out_trade_no=row.text("商户订单号"),
        transaction_id=row.text("微信订单号"),
        amount_fen=_positive(row, "订单金额"),
        settled_fen=_positive(row, "应结订单金额"),
        service_fee_fen=row.fen("手续费"),
        at=row.moment("交易时间"),
        state=state,
    )


def _refund(row: Row, position: int) -> BillLine:
    if row.fen("应结订单金额"):
        raise UnreadableBill(f"{row.place} is a refund and a payment at once")
    return BillLine(
        kind=LineKind.REFUND,
        position=position,
        out_trade_no=row.text("商户订单号"),
        transaction_id=row.text("微信订单号"),
        out_refund_no=row.text("商户退款单号"),
        amount_fen=_positive(row, "申请退款金额"),
        settled_fen=_positive(row, "退款金额"),
        service_fee_fen=row.fen("手续费"),
        at=row.moment("交易时间"),
        state=row.optional("退款状态"),
    )


def _positive(row: Row, column: str) -> int:
    amount = row.fen(column)
    if amount < 0:
        raise UnreadableBill(f"{row.place}: {column} is negative")
    return amount


def _check_summary(summary: Row, header: Columns, sums: Sums) -> None:
    check_sum(_COUNT, lines=sums.rows, told=summary.count(_COUNT))
    further = {told: column for told, column in _FURTHER_SUMS.items() if column in header and summary.optional(told)}
    for told, column in (_SUMS | further).items():
        check_sum(told, lines=sums.fen[column], told=summary.fen(told))
