from datetime import timedelta

import pytest

from server.sharing.rules import (
    Breaker,
    Circuit,
    Patience,
    Result,
    answered,
    asking,
    breaker_of,
    failed,
    given_up,
    replaces,
)
from tests.support.moments import NOON

PATIENCE = Patience(failures=3, pause=timedelta(seconds=30))


@pytest.mark.parametrize(
    ("new", "old", "wins"),
    [
        (Result.FOUND, Result.NOT_FOUND, True),
        (Result.FOUND, Result.UNAVAILABLE, True),
        (Result.NOT_FOUND, Result.MISMATCH, True),
        (Result.UNAVAILABLE, Result.UNAVAILABLE, True),
        (Result.UNAVAILABLE, Result.NOT_FOUND, False),
        (Result.UNAVAILABLE, Result.FOUND, False),
        (Result.NOT_FOUND, Result.FOUND, False),
        (Result.FOUND, Result.FOUND, False),
    ],
)
def test_which_answer_stays(new: Result, old: Result, wins: bool):  # noqa: FBT001 - a column of the table
    assert replaces(new, old) is wins


def _after(failures: int) -> Circuit:
    circuit = Circuit()
    for _ in range(failures):
        circuit = failed(circuit, PATIENCE, now=NOON)
    return circuit


@pytest.mark.parametrize(
    ("failures", "seconds", "state"),
    [
        (0, 0, Breaker.CLOSED),
        (2, 0, Breaker.CLOSED),
        (3, 0, Breaker.OPEN),
        (3, 29, Breaker.OPEN),
        (3, 30, Breaker.HALF_OPEN),
        (3, 3600, Breaker.HALF_OPEN),
    ],
)
def test_a_source_that_fails_in_a_row_is_left_alone_for_a_while(failures: int, seconds: int, state: Breaker):
    now = NOON + timedelta(seconds=seconds)
    circuit = _after(failures)
    assert breaker_of(circuit, PATIENCE, now=now) is state
    assert (asking(circuit, PATIENCE, now=now) is not None) is (state is not Breaker.OPEN)


def test_an_answer_in_between_begins_the_count_anew():
    assert _after(2).failed == 2
    circuit = failed(answered(), PATIENCE, now=NOON)
    assert breaker_of(circuit, PATIENCE, now=NOON) is Breaker.CLOSED


def test_one_question_tries_a_source_and_the_others_wait():
    later = NOON + timedelta(seconds=30)
    trying = asking(_after(3), PATIENCE, now=later)
    assert trying is not None
    assert asking(trying, PATIENCE, now=later) is None
    assert asking(given_up(trying), PATIENCE, now=later) is not None
    # A trial that never came back does not bar the source for ever.
    assert asking(trying, PATIENCE, now=later + timedelta(seconds=30)) is not None


def test_a_failed_trial_begins_the_pause_anew():
    later = NOON + timedelta(seconds=30)
    trying = asking(_after(3), PATIENCE, now=later)
    assert trying is not None
    again = failed(trying, PATIENCE, now=later)
    assert breaker_of(again, PATIENCE, now=later + timedelta(seconds=29)) is Breaker.OPEN
    assert breaker_of(again, PATIENCE, now=later + timedelta(seconds=30)) is Breaker.HALF_OPEN
