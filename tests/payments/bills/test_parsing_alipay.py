from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.bills.bill import LineKind, Totals, UnreadableBill
from payments.bills.parsing_alipay import parse
from tests.factories.bills import (
    ALIPAY_COLUMNS,
    SELLER,
    Cells,
    alipay_files,
    alipay_row,
    alipay_zip,
    zipped,
)

DAY = date(2026, 11, 20)
ROWS = [
    alipay_row("a" * 32, 8000, fee=48),
    alipay_row("b" * 32, 55000, fee=330),
    alipay_row("a" * 32, -8000, fee=-48, refund="r" * 32),
]


def read(raw: bytes) -> tuple[object, ...]:
    return parse(raw, day=DAY, seller_id=SELLER).lines


def test_a_whole_bill() -> None:
    bill = parse(alipay_zip(ROWS), day=DAY, seller_id=SELLER)
    assert [(line.kind, line.number, line.amount_fen, line.service_fee_fen) for line in bill.lines] == [
        (LineKind.PAYMENT, "2026" + "a" * 32, 8000, 48),
        (LineKind.PAYMENT, "2026" + "b" * 32, 55000, 330),
        (LineKind.REFUND, "r" * 32, 8000, -48),
    ]
    assert bill.totals == Totals(
        payments=2, payments_fen=63000, refunds=1, refunds_fen=8000, service_fee_fen=330, settled_fen=55000
    )


def test_layouts_differ_and_mean_the_same() -> None:
    expected = read(alipay_zip(ROWS))
    assert read(alipay_zip(ROWS, columns=[*reversed(ALIPAY_COLUMNS), "将来的列"])) == expected
    assert read(zipped(alipay_files(ROWS)[::-1])) == expected
    assert read(alipay_zip(ROWS, closing=())) == expected
    plain = [column.replace("（元）", "") for column in ALIPAY_COLUMNS]
    renamed = [{name.replace("（元）", ""): cell for name, cell in row.items()} | row for row in ROWS]
    assert read(alipay_zip(renamed, columns=plain)) == expected


def test_a_day_without_trades() -> None:
    assert read(alipay_zip([])) == ()


def test_a_summary_by_shops() -> None:
    details, summary = alipay_files(ROWS)
    assert read(zipped([details, summary.replace("合计".encode("gbk"), b"SHOP01")]))


@pytest.mark.parametrize("column", ["订单金额（元）", "商家实收（元）", "服务费（元）", "业务类型", "完成时间"])
def test_what_money_depends_on_must_be_there(column: str) -> None:
    columns = [each for each in ALIPAY_COLUMNS if each != column]
    with pytest.raises(UnreadableBill, match="there is no column"):
        read(alipay_zip(ROWS, columns=columns))


@pytest.mark.parametrize(
    "told",
    [
        {"交易订单总笔数": "3"},
        {"退款订单总笔数": "0"},
        {"订单金额（元）": "550.01"},
        {"商家实收（元）": "0.00"},
        {"服务费（元）": "-3.29"},
        {"服务费（元）": ""},
    ],
)
def test_a_summary_that_does_not_add_up(told: Cells) -> None:
    with pytest.raises(UnreadableBill):
        read(alipay_zip(ROWS, summary=told))


@pytest.mark.parametrize(
    "closing",
    [
        "#交易合计：1笔，商家实收共630.00元",
        "#交易合计：2笔，商家实收共629.99元",
        "##退款合计：1笔，退款共-79.99元",
        "#退款合计：0笔，共0.00元",
    ],
)
def test_closing_remarks_that_do_not_add_up(closing: str) -> None:
    with pytest.raises(UnreadableBill, match="合计"):
        read(alipay_zip(ROWS, closing=[closing]))


@pytest.mark.parametrize(
    "row",
    [
        alipay_row("a", 8000, 业务类型="转账"),
        alipay_row("a", -8000),
        alipay_row("a", 8000, refund="r"),
        alipay_row("a", -8000, refund="r") | {"退款批次号/请求号": ""},
        alipay_row("a", 8000, 完成时间="2026-11-19 10:00:00"),
    ],
)
def test_a_line_that_cannot_be_believed(row: Cells) -> None:
    with pytest.raises(UnreadableBill):
        read(alipay_zip([row]))


def test_another_accounts_bill() -> None:
    with pytest.raises(UnreadableBill, match="another account"):
        read(alipay_zip(ROWS, account="2088999999999999"))


def test_a_zip_with_too_little_or_too_much() -> None:
    details, summary = alipay_files(ROWS)
    for files in ([details], [summary], [details, details], [details, summary, b"readme"], [], [summary] * 9):
        with pytest.raises(UnreadableBill):
            read(zipped(files))


@given(st.binary(max_size=300))
def test_no_bytes_break_it_otherwise(raw: bytes) -> None:
    with pytest.raises(UnreadableBill):
        read(raw)
    with pytest.raises(UnreadableBill):
        read(zipped([raw, alipay_files([])[1]]))


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10**9)), max_size=15))
def test_what_is_written_is_read_to_the_fen(moves: list[tuple[bool, int]]) -> None:
    rows = [
        alipay_row(f"{place:032}", -fen if back else fen, refund=f"r{place}" if back else "")
        for place, (back, fen) in enumerate(moves)
    ]
    totals = parse(alipay_zip(rows), day=DAY, seller_id=SELLER).totals
    assert totals.payments_fen == sum(fen for back, fen in moves if not back)
    assert totals.refunds_fen == sum(fen for back, fen in moves if back)


def test_only_cr_and_lf_end_a_line() -> None:
    """Unicode counts these as ends of lines as well, and somebody may put one into a product's name."""
    named = [alipay_row("a" * 32, 8000, 商品名称="登记\x0b费\x0c\x1c"), *ROWS[1:]]
    assert [line.amount_fen for line in parse(alipay_zip(named), day=DAY, seller_id=SELLER).lines] == [
        8000,
        55000,
        8000,
    ]
