from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.terms.errors import TermError
from server.terms.working_days import WorkCalendar, add_working_days, working_days_between

SPRING_2026 = WorkCalendar(
    off=frozenset(date(2026, 2, day) for day in range(15, 24)),
    work=frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
    years=frozenset({2026}),
    verified=frozenset(),
)


def test_spring_festival_deadline() -> None:
    # Counted: 2/14 (make-up Saturday), 2/24, 2/25, 2/26, 2/27.
    assert add_working_days(date(2026, 2, 13), 5, SPRING_2026) == date(2026, 2, 27)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2028, 1, 7), 2, date(2028, 1, 11)),
    ],
)
def test_next_working_days(start: date, count: int, end: date) -> None:
    assert add_working_days(start, count, SPRING_2026) == end


def test_coverage_is_by_year() -> None:
    assert SPRING_2026.covers(date(2026, 12, 31))
    assert not SPRING_2026.covers(date(2027, 1, 1))


def test_needs_at_least_one_day() -> None:
    with pytest.raises(TermError, match="WORKING_DAYS_INVALID"):
        add_working_days(date(2026, 2, 13), 0, SPRING_2026)


def test_nothing_lies_between_a_day_and_an_earlier_one() -> None:
    assert working_days_between(date(2026, 2, 27), date(2026, 2, 13), SPRING_2026) == 0


@given(st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.integers(1, 40))
def test_counting_back_gives_the_number_again(start: date, count: int) -> None:
    end = add_working_days(start, count, SPRING_2026)
    assert SPRING_2026.is_working_day(end)
    assert working_days_between(start, end, SPRING_2026) == count
    assert working_days_between(start, end - timedelta(days=1), SPRING_2026) == count - 1
