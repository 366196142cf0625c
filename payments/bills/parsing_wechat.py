"""WeChat Pay's trade bill (bill_type ALL): a header, rows of cells behind backticks, a summary's header and its row.

Columns are found by name, since layouts differ between merchants and years; the summary is checked against the rows.
"""

import hashlib
import hmac
from datetime import date

from payments.bills.bill import Bill, BillLine, LineKind, UnreadableBill
from payments.bills.cells import Row, check_day, check_sum, checked_header
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
    header, rows, summary = _parts(content)
    lines = tuple(_line(row, position, merchant_id) for position, row in enumerate(rows, start=1))
    _check_summary(header, rows, summary)
    check_day(lines, day)
    return Bill(WALLET, day, raw, lines)


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()  # noqa: S324 - the wallet's choice; TLS is what protects the file


def _parts(content: bytes) -> tuple[list[str], list[Row], Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableBill("the bill is no UTF-8") from None
    found = [line for line in text.splitlines() if line.strip()]
    ends = [index for index, line in enumerate(found) if line.startswith(_SUMMARY_BEGINS)]
    if len(ends) != 1 or ends[0] == 0 or ends[0] + 2 != len(found):
        raise UnreadableBill("the bill does not end with one summary")
    end = ends[0]
    header = checked_header(found[0].split(","))
    rows = [Row(header, _cells(line), f"line {place}") for place, line in enumerate(found[1:end], start=1)]
    summary = Row(checked_header(found[end].split(",")), _cells(found[end + 1]), "the summary")
    return header, rows, summary


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


def _check_summary(header: list[str], rows: list[Row], summary: Row) -> None:
    for column in _SUMS.values():
        if column not in header:
            raise UnreadableBill(f"there is no column {column}")
    check_sum(_COUNT, lines=len(rows), told=summary.count(_COUNT))
    further = {told: column for told, column in _FURTHER_SUMS.items() if column in header and summary.optional(told)}
    for told, column in (_SUMS | further).items():
        check_sum(told, lines=sum(row.fen(column) for row in rows), told=summary.fen(told))
