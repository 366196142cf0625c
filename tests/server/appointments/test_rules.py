from datetime import UTC, date, datetime, time, timedelta

import pytest

from kit.errors import Problem
from server.appointments import rules
from server.appointments.rules import BookingState
from server.catalogue.loading import shipped_calendar

STARTS = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ENDS = STARTS + timedelta(minutes=30)
SECOND = timedelta(seconds=1)
BEFORE = STARTS - timedelta(hours=1)


def code_of(check: object, *given: object, **named: object) -> str | None:
    try:
        check(*given, **named)  # type: ignore[operator]
    except Problem as problem:
        return problem.code
    return None


def test_the_slots_of_a_day_leave_out_what_is_shorter_than_a_slot() -> None:
    hours = [(time(9), time(10, 15)), (time(13, 30), time(14))]
    slots = rules.slot_times(hours, minutes=30, day=date(2026, 11, 23))
    assert [f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in slots] == ["09:00-09:30", "09:30-10:00", "13:30-14:00"]
    assert slots[0][0] == STARTS


def test_slots_are_released_for_working_days_only() -> None:
    released = rules.days_to_release(shipped_calendar(), today=date(2026, 9, 18), released_through=None, days_ahead=10)
    # 19 September is a Saturday, 20 a Sunday at work; 25 to 27 are the Mid-Autumn Festival.
    assert [day.day for day in released] == [18, 20, 21, 22, 23, 24, 28]


@pytest.mark.parametrize(
    ("through", "days"),
    [
        (date(2026, 11, 27), [30]),
        (date(2026, 11, 30), []),
        (date(2026, 11, 1), [23, 24, 25, 26, 27, 30]),
    ],
)
def test_what_was_released_is_not_released_again(through: date, days: list[int]) -> None:
    released = rules.days_to_release(
        shipped_calendar(), today=date(2026, 11, 23), released_through=through, days_ahead=7
    )
    assert [day.day for day in released] == days


@pytest.mark.parametrize(
    ("now", "closed", "code"),
    [
        (BEFORE, False, None),
        (BEFORE, True, "DAY_CLOSED"),
        (STARTS - SECOND, False, None),
        (STARTS, False, "SLOT_PAST"),
        (STARTS, True, "SLOT_PAST"),
    ],
)
def test_what_may_be_booked(now: datetime, closed: bool, code: str | None) -> None:  # noqa: FBT001 - a table
    assert code_of(rules.check_bookable, starts_at=STARTS, closed=closed, now=now) == code


@pytest.mark.parametrize(
    ("state", "left", "closed", "code"),
    [
        ("held", 60, False, None),
        ("held", 0, False, "HOLD_EXPIRED"),
        ("held", 60, True, "DAY_CLOSED"),
        ("expired", 60, False, "HOLD_EXPIRED"),
        ("booked", 60, False, "APPOINTMENT_ALREADY_CONFIRMED"),
        ("checked_in", 60, False, "APPOINTMENT_ALREADY_CONFIRMED"),
        ("missed", 60, False, "APPOINTMENT_ALREADY_CONFIRMED"),
        ("cancelled", 60, False, "APPOINTMENT_CANCELLED"),
    ],
)
def test_what_may_be_confirmed(state: str, left: int, closed: bool, code: str | None) -> None:  # noqa: FBT001 - a table
    until = BEFORE + timedelta(seconds=left)
    found = code_of(
        rules.check_confirmable,
        BookingState(state),
        hold_until=until,
        starts_at=STARTS,
        closed=closed,
        now=BEFORE,
    )
    assert found == code


def test_a_hold_does_not_outlast_the_beginning_of_its_slot() -> None:
    late = {"hold_until": STARTS + timedelta(minutes=4), "starts_at": STARTS, "closed": False, "now": STARTS}
    assert code_of(rules.check_confirmable, BookingState.HELD, **late) == "SLOT_PAST"


@pytest.mark.parametrize(
    ("state", "now", "code"),
    [
        ("held", BEFORE, None),
        ("booked", STARTS - SECOND, None),
        ("booked", STARTS, "APPOINTMENT_OVER"),
        ("missed", BEFORE, "APPOINTMENT_OVER"),
        ("checked_in", BEFORE, "APPOINTMENT_USED"),
        ("cancelled", BEFORE, "APPOINTMENT_CANCELLED"),
        ("expired", BEFORE, "HOLD_EXPIRED"),
    ],
)
def test_what_may_be_cancelled(state: str, now: datetime, code: str | None) -> None:
    assert code_of(rules.check_cancellable, BookingState(state), starts_at=STARTS, now=now) == code


@pytest.mark.parametrize(
    ("state", "now", "code"),
    [
        ("booked", STARTS - timedelta(minutes=30) - SECOND, "CHECK_IN_TOO_EARLY"),
        ("booked", STARTS - timedelta(minutes=30), None),
        ("booked", ENDS, None),
        ("booked", ENDS + SECOND, "CHECK_IN_TOO_LATE"),
        ("missed", ENDS, "CHECK_IN_TOO_LATE"),
        ("checked_in", STARTS, "APPOINTMENT_USED"),
        ("cancelled", STARTS, "APPOINTMENT_CANCELLED"),
        ("expired", STARTS, "HOLD_EXPIRED"),
    ],
)
def test_when_a_pass_is_taken_in(state: str, now: datetime, code: str | None) -> None:
    window = rules.check_in_window(starts_at=STARTS, ends_at=ENDS)
    assert code_of(rules.check_check_in, BookingState(state), window, now=now) == code


def test_who_comes_too_early_is_told_from_when() -> None:
    window = rules.check_in_window(starts_at=STARTS, ends_at=ENDS)
    with pytest.raises(Problem) as refused:
        rules.check_check_in(BookingState.BOOKED, window, now=BEFORE)
    assert refused.value.extra == {"opens_at": "2026-11-23T08:30:00+08:00"}


@pytest.mark.parametrize("state", list(BookingState))
def test_a_pass_is_shown_only_while_it_is_good(state: BookingState) -> None:
    assert code_of(rules.check_pass, state) == (None if state is BookingState.BOOKED else "PASS_NOT_READY")


def test_which_states_keep_a_person_from_booking_again() -> None:
    assert {state for state in BookingState if state.live} == {"held", "booked"}
    assert len({state.text for state in BookingState}) == len(BookingState)


@pytest.mark.parametrize(("day", "code"), [(date(2026, 11, 22), "DAY_OVER"), (date(2026, 11, 23), None)])
def test_a_day_that_is_over_cannot_be_closed(day: date, code: str | None) -> None:
    assert code_of(rules.check_closable, day, now=STARTS) == code


@pytest.mark.parametrize(
    ("state", "seconds", "over"), [("held", 0, True), ("held", 1, False), ("booked", 0, False), ("expired", 0, False)]
)
def test_when_a_hold_has_lapsed(state: str, seconds: int, over: bool) -> None:  # noqa: FBT001 - a table
    assert rules.lapsed(BookingState(state), BEFORE + timedelta(seconds=seconds), BEFORE) is over
    assert rules.lapsed(BookingState(state), None, BEFORE) is False


def test_the_words_of_a_slot() -> None:
    assert rules.visit_number("A", 7) == "A007"
    assert rules.weekday_text(date(2026, 11, 23)) == "星期一"
    assert rules.in_the_morning(STARTS)
    assert not rules.in_the_morning(STARTS + timedelta(hours=3))
