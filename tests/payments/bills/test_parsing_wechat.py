import gzip
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.bills.bill import Bill, LineKind, Totals, UnreadableBill
from payments.bills.parsing_wechat import parse
from tests.factories.bills import MERCHANT, WECHAT_COLUMNS, Cells, wechat_file, wechat_payment, wechat_refund

DAY = date(2026, 11, 20)
ROWS = [
    wechat_payment("a" * 32, 8000, fee=48, 商品名称="登记费,工本费"),
    wechat_payment("b" * 32, 55000, fee=330),
    wechat_refund("a" * 32, "r" * 32, 8000, fee=-48),
]


def read(rows: list[Cells], **options: object) -> Bill:
    raw, digest = wechat_file(rows, **options)  # type: ignore[arg-type]
    return parse(raw, day=DAY, merchant_id=MERCHANT, digest=digest)


def test_a_whole_bill() -> None:
    bill = read(ROWS)
    assert [(line.kind, line.number, line.amount_fen, line.service_fee_fen) for line in bill.lines] == [
        (LineKind.PAYMENT, "4200" + "a" * 32, 8000, 48),
        (LineKind.PAYMENT, "4200" + "b" * 32, 55000, 330),
        (LineKind.REFUND, "r" * 32, 8000, -48),
    ]
    assert bill.lines[2].state == "PROCESSING"
    assert bill.lines[0].at == datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert bill.totals == Totals(
        payments=2, payments_fen=63000, refunds=1, refunds_fen=8000, service_fee_fen=330, settled_fen=55000
    )
    assert bill.totals.net_fen == 54670


def test_layouts_differ_and_mean_the_same() -> None:
    expected = read(ROWS).lines
    turned = [*reversed(WECHAT_COLUMNS), "将来的列"]
    assert read(ROWS, columns=turned).lines == expected
    assert read(ROWS, bom=False, zipped=False).lines == expected
    without = [column for column in WECHAT_COLUMNS if column not in {"充值券退款金额", "退款状态", "费率备注"}]
    assert [line.key for line in read(ROWS, columns=without).lines] == [line.key for line in expected]


def test_a_bill_without_a_line() -> None:
    assert read([]).totals == Totals()


@pytest.mark.parametrize(
    "column", ["应结订单金额", "退款金额", "手续费", "订单金额", "申请退款金额", "商户号", "货币种类", "交易状态"]
)
def test_what_money_depends_on_must_be_there(column: str) -> None:
    with pytest.raises(UnreadableBill, match=f"there is no column {column}"):
        read(ROWS, columns=[each for each in WECHAT_COLUMNS if each != column])


@pytest.mark.parametrize("column", ["应结订单金额", "退款金额", "手续费", "订单金额", "申请退款金额"])
def test_even_of_a_day_without_lines(column: str) -> None:
    with pytest.raises(UnreadableBill, match=f"there is no column {column}"):
        read([], columns=[each for each in WECHAT_COLUMNS if each != column])


@pytest.mark.parametrize(
    "told",
    [
        {"总交易单数": "2"},
        {"应结订单总金额": "629.99"},
        {"退款总金额": "0.00"},
        {"充值券退款总金额": "0.01"},
        {"手续费总金额": "3.31"},
        {"订单总金额": "630.01"},
        {"申请退款总金额": "79.99"},
        {"订单总金额": ""},
    ],
)
def test_a_summary_that_does_not_add_up(told: Cells) -> None:
    with pytest.raises(UnreadableBill):
        read(ROWS, summary=told)


@pytest.mark.parametrize(
    "changes",
    [
        {"商户号": "1900000999"},
        {"货币种类": "USD"},
        {"交易状态": "PAYERROR"},
        {"订单金额": "-80.00"},
        {"订单金额": ""},
        {"退款金额": "1.00"},
        {"交易时间": "yesterday"},
        {"手续费": "0.485"},
    ],
)
def test_a_line_that_cannot_be_believed(changes: Cells) -> None:
    raw, _ = wechat_file([wechat_payment("a" * 32, 8000)], zipped=False, bom=False)
    text = raw.decode().splitlines()
    cells = dict(zip(WECHAT_COLUMNS, text[1][1:].split(",`"), strict=True)) | changes
    text[1] = ",".join(f"`{cell}" for cell in cells.values())
    with pytest.raises(UnreadableBill):
        parse("\n".join(text).encode(), day=DAY, merchant_id=MERCHANT)


def test_the_digest_is_of_the_plain_content() -> None:
    raw, digest = wechat_file(ROWS)
    assert parse(raw, day=DAY, merchant_id=MERCHANT, digest=digest.upper()).lines
    other, _ = wechat_file(ROWS[:2])
    with pytest.raises(UnreadableBill, match="digest"):
        parse(other, day=DAY, merchant_id=MERCHANT, digest=digest)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x1f\x8b broken",
        gzip.compress(b"x" * 100, mtime=0)[:40],
        "交易时间".encode("gbk"),
        b"no summary",
        "总交易单数\n`0".encode(),
        b'{"code":"SYSTEM_ERROR"}',
    ],
)
def test_what_is_no_bill(broken: bytes) -> None:
    with pytest.raises(UnreadableBill):
        parse(broken, day=DAY, merchant_id=MERCHANT)


def test_a_bill_of_another_day() -> None:
    raw, digest = wechat_file(ROWS)
    with pytest.raises(UnreadableBill, match="no line of the bill is of"):
        parse(raw, day=date(2026, 11, 19), merchant_id=MERCHANT, digest=digest)


MOVES = st.lists(st.tuples(st.booleans(), st.integers(1, 10**9), st.integers(0, 10**4)), max_size=20)


@given(MOVES)
def test_what_is_written_is_read_to_the_fen(moves: list[tuple[bool, int, int]]) -> None:
    rows = [
        wechat_refund(f"{place:032}", f"r{place:031}", fen, fee=-fee)
        if back
        else wechat_payment(f"{place:032}", fen, fee=fee)
        for place, (back, fen, fee) in enumerate(moves)
    ]
    totals = read(rows).totals
    paid, given = (sum(fen for back, fen, _ in moves if back is side) for side in (False, True))
    assert (totals.payments_fen, totals.refunds_fen, totals.settled_fen) == (paid, given, paid - given)
    assert totals.service_fee_fen == sum(-fee if back else fee for back, _, fee in moves)


@given(st.binary(max_size=300))
def test_no_bytes_break_it_otherwise(raw: bytes) -> None:
    with pytest.raises(UnreadableBill):
        parse(raw, day=DAY, merchant_id=MERCHANT)


def test_only_cr_and_lf_end_a_line() -> None:
    """Unicode counts these as ends of lines as well, and somebody may put one into a product's name."""
    named = [wechat_payment("a" * 32, 8000, 商品名称="登记\u2028费\x85\x0b\x0c\x1c\u2029"), *ROWS[1:]]
    assert [line.amount_fen for line in read(named).lines] == [8000, 55000, 8000]
