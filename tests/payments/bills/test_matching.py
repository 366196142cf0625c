from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.bills.bill import BillLine, LineKind, totals_of
from payments.bills.matching import Books, Finding, FindingKind, Known, Ours, explanation, match

DAY = date(2026, 11, 20)
PAYMENT, REFUND = LineKind.PAYMENT, LineKind.REFUND


def line(number: str, fen: int = 8000, *, kind: LineKind = PAYMENT, position: int = 1, **changes: object) -> BillLine:
    plain = BillLine(
        kind=kind,
        position=position,
        out_trade_no=f"n{number}",
        transaction_id=number if kind is PAYMENT else f"t{number}",
        out_refund_no="" if kind is PAYMENT else number,
        amount_fen=fen,
        settled_fen=fen,
        service_fee_fen=0,
        at=datetime(2026, 11, 20, 2, tzinfo=UTC),
        state="",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def ours(number: str, fen: int = 8000, *, kind: LineKind = PAYMENT, day: date = DAY, booked: bool = True) -> Ours:
    return Ours(
        kind=kind,
        out_trade_no=f"n{number}",
        transaction_id=number if kind is PAYMENT else "",
        out_refund_no="" if kind is PAYMENT else number,
        amount_fen=fen,
        day=day,
        booked=booked,
        order_id=f"o{number}",
    )


def books(*known: Ours, **more: object) -> Books:
    return Books(by_key={each.key: each for each in known}, **more)  # type: ignore[arg-type]


def found(lines: list[BillLine], held: Books) -> list[tuple[FindingKind, int | None, int | None]]:
    return [(each.kind, each.ours_fen, each.theirs_fen) for each in match(DAY, lines, held).findings]


def test_what_fits_is_not_mentioned() -> None:
    lines = [line("1"), line("2", 55000), line("r", 100, kind=REFUND)]
    held = books(ours("1"), ours("2", 55000), ours("r", 100, kind=REFUND))
    matched = match(DAY, lines, held)
    assert matched.findings == ()
    assert matched.ours == totals_of(lines)


@pytest.mark.parametrize(
    ("lines", "held", "expected"),
    [
        ([line("1")], books(), (FindingKind.MISSING_WITH_US, None, 8000)),
        ([], books(ours("1")), (FindingKind.MISSING_IN_BILL, 8000, None)),
        ([], books(ours("r", kind=REFUND)), (FindingKind.MISSING_IN_BILL, 8000, None)),
        ([line("1", 7999)], books(ours("1")), (FindingKind.AMOUNT_DIFFERS, 8000, 7999)),
        ([line("r", 7999, kind=REFUND)], books(ours("r", kind=REFUND)), (FindingKind.AMOUNT_DIFFERS, 8000, 7999)),
        (
            [line("1")],
            Books(by_number={"n1": ours("", booked=False)}),
            (FindingKind.STATE_DIFFERS, None, 8000),
        ),
        ([line("1")], Books(by_number={"n1": ours("0")}), (FindingKind.MISSING_WITH_US, None, 8000)),
        ([line("r", kind=REFUND)], books(), (FindingKind.UNKNOWN_REFUND, None, 8000)),
        (
            [line("r", kind=REFUND)],
            books(ours("r", kind=REFUND, booked=False)),
            (FindingKind.STATE_DIFFERS, None, 8000),
        ),
        (
            [line("r", kind=REFUND)],
            Books(by_number={"nr": ours("1")}),
            (FindingKind.UNKNOWN_REFUND, None, 8000),
        ),
        ([line("1"), line("1", position=2)], books(ours("1")), (FindingKind.DUPLICATE_LINE, None, 8000)),
        (
            [line("1")],
            books(ours("1"), earlier=frozenset({(PAYMENT, "1")})),
            (FindingKind.DUPLICATE_LINE, None, 8000),
        ),
        ([line("1", out_trade_no="other")], books(ours("1")), (FindingKind.NUMBER_DIFFERS, 8000, 8000)),
        ([line("1", settled_fen=7500)], books(ours("1")), (FindingKind.SETTLED_DIFFERS, 8000, 7500)),
        ([line("1", service_fee_fen=8001)], books(ours("1")), (FindingKind.FEE_IMPLAUSIBLE, None, 8001)),
        ([line("1", service_fee_fen=-1)], books(ours("1")), (FindingKind.FEE_IMPLAUSIBLE, None, -1)),
        (
            [line("r", kind=REFUND, service_fee_fen=1)],
            books(ours("r", kind=REFUND)),
            (FindingKind.FEE_IMPLAUSIBLE, None, 1),
        ),
        (
            [line("1")],
            books(ours("1", day=DAY - timedelta(days=2))),
            (FindingKind.DAY_DIFFERS, 8000, 8000),
        ),
    ],
)
def test_what_does_not_fit(lines: list[BillLine], held: Books, expected: tuple[object, ...]) -> None:
    assert found(lines, held) == [expected]


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_payment_near_midnight_may_stand_in_the_bill_beside_its_day(days: int) -> None:
    other = ours("1", day=DAY + timedelta(days=days))
    assert found([line("1")], books(other)) == []
    matched = match(DAY, [], books(ours("1"), elsewhere=frozenset({(PAYMENT, "1")})))
    assert matched.findings == ()
    assert matched.ours.payments == 0


def test_a_refund_may_be_taken_on_days_after_it_was_asked_for() -> None:
    assert found([line("r", kind=REFUND)], books(ours("r", kind=REFUND, day=DAY - timedelta(days=5)))) == []


def test_what_was_never_booked_is_not_missed() -> None:
    assert found([], books(ours("1", booked=False))) == []
    assert found([], books(ours("1", day=DAY - timedelta(days=1)))) == []


def test_findings_keep_their_reference_and_duplicates_have_one_each() -> None:
    lines = [line("1"), line("1", position=2), line("1", position=3)]
    again = match(DAY, lines, books(ours("1"))).findings
    assert [each.reference for each in again] == ["duplicate_line:payment:1:2", "duplicate_line:payment:1:3"]
    (moved,) = match(DAY, [line("1", position=9)], books()).findings
    assert moved.reference == match(DAY, [line("1")], books()).findings[0].reference == "missing_with_us:payment:1"


def test_every_kind_has_words_of_its_own() -> None:
    assert len({kind.text for kind in FindingKind}) == len(FindingKind)


@pytest.mark.parametrize(
    ("known", "explained"),
    [
        (Known("d", "", "1", "", 8000), True),
        (Known("d", "", "1", "", None), True),
        (Known("d", "", "1", "", 7999), False),
        (Known("d", "n1", "2", "", 8000), False),
        (Known("d", "n1", "", "", 8000), True),
        (Known("d", "n2", "", "", 8000), False),
    ],
)
def test_a_known_discrepancy_explains_the_same_money(known: Known, *, explained: bool) -> None:
    (finding,) = match(DAY, [line("1")], books()).findings
    assert explanation(finding, [known]) == ("d" if explained else None)


def test_a_refunds_discrepancy_is_found_by_the_refunds_number() -> None:
    (finding,) = match(DAY, [line("r", kind=REFUND)], books()).findings
    assert explanation(finding, [Known("d", "other", "r", "", None)]) == "d"
    assert explanation(finding, [Known("d", "other", "t", "r", None)]) == "d"
    of_its_payment = Known("d", finding.out_trade_no, finding.transaction_id, "", 8000)
    assert explanation(finding, [of_its_payment]) is None


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        ([], books(ours("1"))),
        ([line("1", settled_fen=7500)], books(ours("1"))),
        ([line("1", service_fee_fen=9000)], books(ours("1"))),
        ([line("1"), line("1", position=2)], books(ours("1"))),
    ],
)
def test_what_the_bill_alone_says_wrongly_nothing_explains(lines: list[BillLine], held: Books) -> None:
    (finding,) = match(DAY, lines, held).findings
    assert explanation(finding, [Known("d", "n1", "1", "", None), Known("e", "n1", "", "", None)]) is None


SIDES = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from([PAYMENT, REFUND]),
        st.integers(1, 9),
        st.sampled_from(["bill", "books", "both", "waiting", "elsewhere", "beside"]),
    ),
    max_size=12,
)


@given(SIDES, st.integers(-3, 3))
def test_the_totals_differ_by_exactly_what_the_findings_do(
    sides: list[tuple[str, LineKind, int, str]], skew: int
) -> None:
    lines, known, elsewhere = [], {}, set()
    for position, (number, kind, fen, side) in enumerate(sides, start=1):
        record = ours(number, max(fen + skew, 1), kind=kind)
        if side in {"bill", "both", "waiting", "beside"}:
            lines.append(line(number, fen, kind=kind, position=position))
        if side in {"books", "both", "elsewhere"}:
            known[record.key] = record
        if side == "waiting":
            known[record.key] = replace(record, booked=False)
        if side == "beside":
            known[record.key] = replace(record, day=DAY + timedelta(days=1))
        if side == "elsewhere":
            elsewhere.add(record.key)
    matched = match(DAY, lines, Books(by_key=known, elsewhere=frozenset(elsewhere)))
    theirs = totals_of(lines)
    for kind, wanted in (
        (PAYMENT, theirs.payments_fen - matched.ours.payments_fen),
        (REFUND, theirs.refunds_fen - matched.ours.refunds_fen),
    ):
        of_kind = [each for each in matched.findings if each.line_kind is kind]
        assert sum((each.theirs_fen or 0) - (each.ours_fen or 0) for each in of_kind) == wanted
    assert len({each.reference for each in matched.findings}) == len(matched.findings)
    assert _balanced(matched.findings) == (theirs.payments + theirs.refunds) - (
        matched.ours.payments + matched.ours.refunds
    )


def _balanced(findings: tuple[Finding, ...]) -> int:
    counted = Counter((each.theirs_fen is not None) - (each.ours_fen is not None) for each in findings)
    return counted[1] - counted[-1]
