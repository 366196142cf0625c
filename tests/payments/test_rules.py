from dataclasses import replace
from datetime import timedelta

import pytest

from payments.rules import (
    AttemptState,
    Expected,
    Fault,
    Line,
    OrderState,
    Report,
    TradeState,
    Verdict,
    judge,
    may_be_prepared,
    may_be_reused,
    poll_delay,
    total,
)
from tests.support.moments import NOON

EXPECTED = Expected("n1", 8000, "CNY", "m1", "a1")
PAID = Report("n1", TradeState.PAID, "m1", "a1", 8000, "CNY", "t1", NOON)


@pytest.mark.parametrize(
    ("change", "verdict", "fault"),
    [
        ({}, Verdict.SETTLE, None),
        ({"out_trade_no": "n2"}, Verdict.DISPUTE, Fault.UNKNOWN_NUMBER),
        ({"merchant_id": "m2"}, Verdict.DISPUTE, Fault.MERCHANT_DIFFERS),
        ({"app_id": "a2"}, Verdict.DISPUTE, Fault.APP_DIFFERS),
        ({"currency": "USD"}, Verdict.DISPUTE, Fault.CURRENCY_DIFFERS),
        ({"amount_fen": 7999}, Verdict.DISPUTE, Fault.AMOUNT_DIFFERS),
        ({"amount_fen": None}, Verdict.DISPUTE, Fault.AMOUNT_DIFFERS),
        ({"transaction_id": ""}, Verdict.DISPUTE, Fault.TRANSACTION_MISSING),
        ({"trade_state": TradeState.REFUNDED}, Verdict.DISPUTE, Fault.REFUNDED),
        ({"trade_state": TradeState.CLOSED}, Verdict.CLOSE, None),
        ({"trade_state": TradeState.UNPAID}, Verdict.WAIT, None),
        ({"trade_state": TradeState.OTHER}, Verdict.WAIT, None),
    ],
)
def test_a_wallets_word_is_held_against_what_was_expected(
    change: dict[str, object], verdict: Verdict, fault: Fault | None
) -> None:
    assert judge(EXPECTED, replace(PAID, **change)) == (verdict, fault)  # type: ignore[arg-type]


def test_the_total_is_the_sum_and_no_line_is_negative() -> None:
    assert total([Line("a", "甲", 8000), Line("b", "乙", 1000)]) == 9000
    assert total([]) == 0
    with pytest.raises(ValueError, match="negative"):
        total([Line("a", "甲", -1)])


def test_questions_come_ever_slower() -> None:
    assert [poll_delay(polls) for polls in (0, 1, 2, 4, 5, 10**6)] == [30, 60, 120, 480, 600, 600]


@pytest.mark.parametrize(
    ("state", "minutes", "reused"),
    [
        (AttemptState.READY, 10, True),
        (AttemptState.READY, 9, False),
        (AttemptState.PREPARING, 10, True),
        (AttemptState.PREPARING, 9, False),
        (AttemptState.PAID, 60, False),
        (AttemptState.DISPUTED, 60, False),
        (AttemptState.CLOSED, 60, False),
    ],
)
def test_only_an_open_attempt_with_time_left_is_reused(state: AttemptState, minutes: int, *, reused: bool) -> None:
    assert may_be_reused(state, expires_at=NOON + timedelta(minutes=minutes), now=NOON) is reused


def test_a_wallet_is_not_asked_in_the_last_minutes() -> None:
    assert may_be_prepared(expires_at=NOON + timedelta(minutes=2), now=NOON)
    assert not may_be_prepared(expires_at=NOON + timedelta(seconds=119), now=NOON)


def test_every_state_has_its_word_for_residents() -> None:
    assert all(state.text for state in (*OrderState, *AttemptState))
    assert {state for state in AttemptState if state.final} == {
        AttemptState.PAID,
        AttemptState.CLOSED,
        AttemptState.DISPUTED,
    }
