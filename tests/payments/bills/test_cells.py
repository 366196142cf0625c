from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.money import yuan
from payments.bills.bill import BillLine, LineKind, UnreadableBill
from payments.bills.cells import Row, check_day, check_sum, checked_header


def row(**cells: str) -> Row:
    return Row(checked_header(list(cells)), list(cells.values()), "line 1")


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_an_amount_in_yuan_is_read_to_the_fen(fen: int) -> None:
    assert row(amount=f" {yuan(fen)}\t").fen("amount") == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [("80", 8000), ("80.0", 8000), (" 80.00", 8000), ("0.01", 1), ("-1", -100), ("-0.00", 0), ("+3", 300)],
)
def test_an_amount_may_be_written_shorter(text: str, fen: int) -> None:
    assert row(amount=text).fen("amount") == fen


def test_an_amount_that_no_row_could_hold_is_no_amount() -> None:
    assert row(amount="100000000.00").fen("amount") == 10**10
    for text in ("100000000000.01", "-100000000000.01", "9" * 15):
        with pytest.raises(UnreadableBill, match="more than any bill can hold"):
            row(amount=text).fen("amount")


@pytest.mark.parametrize(
    "text", ["", "-", "1,000.00", "1e3", "1e2", "+-1", "8" * 16, "0.001", "八十", "１.00", "NaN", "--1"]
)
def test_what_is_no_amount_is_never_a_zero(text: str) -> None:
    with pytest.raises(UnreadableBill, match="amount is no amount in yuan"):
        row(amount=text).fen("amount")


def test_a_missing_column_is_named() -> None:
    for read in ("text", "fen", "count", "moment"):
        with pytest.raises(UnreadableBill, match="there is no column 手续费"):
            getattr(row(other="1"), read)("手续费")
    assert row(other="1").optional("手续费") == ""


@pytest.mark.parametrize("text", ["", "-1", "1.0", "１", "two"])
def test_a_number_is_plain_digits(text: str) -> None:
    with pytest.raises(UnreadableBill, match="is no number"):
        row(count=text).count("count")


def test_moments_are_beijing_time() -> None:
    assert row(at="2026-11-20 00:00:01").moment("at") == datetime(2026, 11, 19, 16, 0, 1, tzinfo=UTC)
    with pytest.raises(UnreadableBill, match="is no moment"):
        row(at="2026/11/20 00:00").moment("at")
    with pytest.raises(UnreadableBill, match="is no moment"):
        row(at="0001-01-01 00:00:00").moment("at")  # in UTC it would be before the calendar begins


def test_cells_fit_under_their_header() -> None:
    with pytest.raises(UnreadableBill, match="line 4 has 2 cells under 3 columns"):
        Row(checked_header(["a", "b", "c"]), ["1", "2"], "line 4")
    with pytest.raises(UnreadableBill, match="too long"):
        row(number="9" * 65).text("number")
    with pytest.raises(UnreadableBill, match="comes twice"):
        checked_header(["手续费", "费率", "手续费 "])


def test_sums_and_days_are_checked() -> None:
    check_sum("手续费总金额", lines=5, told=5)
    with pytest.raises(UnreadableBill, match="手续费总金额: the lines make 5, the bill tells 6"):
        check_sum("手续费总金额", lines=5, told=6)
    line = BillLine(
        kind=LineKind.PAYMENT,
        position=1,
        out_trade_no="n",
        transaction_id="t",
        amount_fen=1,
        settled_fen=1,
        service_fee_fen=0,
        at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        state="SUCCESS",
    )
    check_day([line], date(2026, 11, 21))
    check_day([], date(2026, 11, 21))
    with pytest.raises(UnreadableBill, match="no line of the bill is of 2026-11-20"):
        check_day([line], date(2026, 11, 20))
