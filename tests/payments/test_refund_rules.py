from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from payments.refund_rules import (
    MOST_REFUNDS,
    QUESTIONS_END,
    REFUNDED_WITHIN,
    ExpectedRefund,
    RefundCause,
    RefundFlaw,
    RefundNotice,
    RefundReport,
    RefundState,
    RefundVerdict,
    asked_no_more,
    flaw_of,
    held_fen,
    judge_refund,
    notice_fault,
    question_delay,
)
from payments.rules import Expected, Fault, Report, TradeState
from tests.support.moments import NOON

EXPECTED = ExpectedRefund("trade", "refund", 3000, 8000, "merchant", "app")


@pytest.mark.parametrize(
    ("amount", "earlier_fen", "earlier", "age", "flaw"),
    [
        (1, 0, 0, timedelta(), None),
        (8000, 0, 0, timedelta(), None),
        (3000, 5000, 49, REFUNDED_WITHIN, None),
        (0, 0, 0, timedelta(), RefundFlaw.TOO_LARGE),
        (-1, 0, 0, timedelta(), RefundFlaw.TOO_LARGE),
        (8001, 0, 0, timedelta(), RefundFlaw.TOO_LARGE),
        (3001, 5000, 1, timedelta(), RefundFlaw.TOO_LARGE),
        (1, 8000, 1, timedelta(), RefundFlaw.TOO_LARGE),
        (1, 0, 0, REFUNDED_WITHIN + timedelta(seconds=1), RefundFlaw.TOO_LATE),
        (1, 50, MOST_REFUNDS, timedelta(), RefundFlaw.TOO_MANY),
    ],
)
def test_what_stands_against_a_refund(
    amount: int, earlier_fen: int, earlier: int, age: timedelta, flaw: RefundFlaw | None
) -> None:
    found = flaw_of(
        amount_fen=amount, paid_fen=8000, earlier_fen=earlier_fen, earlier=earlier, paid_at=NOON - age, now=NOON
    )
    assert found == flaw


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (RefundReport("refund", RefundState.SUCCEEDED, 3000), (RefundVerdict.SUCCEED, None)),
        (RefundReport("refund", RefundState.SUCCEEDED), (RefundVerdict.SUCCEED, None)),
        (RefundReport("refund", RefundState.PROCESSING, 3000), (RefundVerdict.WAIT, None)),
        (RefundReport("refund", RefundState.UNKNOWN), (RefundVerdict.WAIT, None)),
        (RefundReport("refund", RefundState.REQUESTED), (RefundVerdict.WAIT, None)),
        (RefundReport("refund", RefundState.CLOSED, 3000), (RefundVerdict.CLOSE, Fault.REFUND_CLOSED)),
        (RefundReport("refund", RefundState.ABNORMAL, 3000), (RefundVerdict.ABNORMAL, Fault.REFUND_ABNORMAL)),
        (RefundReport("refund", RefundState.SUCCEEDED, 2999), (RefundVerdict.DISPUTE, Fault.REFUND_DIFFERS)),
        (RefundReport("other", RefundState.SUCCEEDED, 3000), (RefundVerdict.DISPUTE, Fault.REFUND_DIFFERS)),
    ],
)
def test_what_a_word_about_a_refund_means(report: RefundReport, verdict: tuple[RefundVerdict, Fault | None]) -> None:
    assert judge_refund(EXPECTED, report) == verdict


@pytest.mark.parametrize(
    ("notice", "fault"),
    [
        (RefundNotice("trade", "refund", "merchant", "app", 3000, 8000), None),
        (RefundNotice("trade", "refund", "merchant", ""), None),
        (RefundNotice("trade", "refund", "another", "app"), Fault.MERCHANT_DIFFERS),
        (RefundNotice("trade", "refund", "merchant", "another"), Fault.APP_DIFFERS),
        (RefundNotice("other", "refund", "merchant", "app"), Fault.UNKNOWN_REFUND),
        (RefundNotice("trade", "refund", "merchant", "app", 1, 8000), Fault.REFUND_DIFFERS),
        (RefundNotice("trade", "refund", "merchant", "app", 3000, 1), Fault.REFUND_DIFFERS),
    ],
)
def test_what_in_a_notice_cannot_be_true(notice: RefundNotice, fault: Fault | None) -> None:
    assert notice_fault(EXPECTED, notice) == fault


def test_a_wallet_is_asked_after_ten_seconds_then_ever_slower() -> None:
    assert [question_delay(asked, stuck=False) for asked in (0, 1, 2, 5, 6, 99)] == [10, 20, 40, 320, 600, 600]
    assert question_delay(0, stuck=True) == 6 * 3600
    assert not asked_no_more(created_at=NOON, now=NOON + QUESTIONS_END)
    assert asked_no_more(created_at=NOON, now=NOON + QUESTIONS_END + timedelta(seconds=1))


def test_only_two_states_are_final_and_every_word_has_its_sentence() -> None:
    assert {state for state in RefundState if state.final} == {RefundState.SUCCEEDED, RefundState.CLOSED}
    assert all(state.text for state in RefundState)
    assert all(cause.text for cause in RefundCause)


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ({}, 5),
        ({"app_id": "another app of ours"}, 5),
        ({"transaction_id": ""}, 5),
        ({"amount_fen": 0}, None),
        ({"amount_fen": None}, None),
        ({"merchant_id": "m2"}, None),
        ({"out_trade_no": "n2"}, None),
        ({"currency": "USD"}, None),
        ({"currency": ""}, None),
        *(({"trade_state": state}, None) for state in TradeState if state is not TradeState.PAID),
    ],
)
def test_of_a_disputed_payment_the_wallet_holds_what_it_says_it_holds(said: dict[str, Any], held: int | None) -> None:
    report = Report("n", TradeState.PAID, "m", "a", 5, "CNY", "t")
    assert held_fen(Expected("n", 8000, "CNY", "m", "a"), replace(report, **said)) == held


def test_what_the_wallet_never_heard_of_it_does_not_hold() -> None:
    assert held_fen(Expected("n", 8000, "CNY", "m", "a"), None) is None
