"""What a slot is, who may book it, and what may be done with an appointment when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from kit.clock import SHANGHAI, local_date, rfc3339, to_shanghai
from kit.words import Worded
from server.appointments.errors import (
    AlreadyConfirmedAppointment,
    AppointmentCancelled,
    AppointmentOver,
    AppointmentUsed,
    CheckInTooEarly,
    CheckInTooLate,
    DayClosed,
    DayOver,
    HoldExpired,
    PassNotReady,
    SlotPast,
)
from server.terms.working_days import WorkCalendar

HOLD_LASTS = timedelta(minutes=5)
CHECK_IN_OPENS = timedelta(minutes=30)
NOON = time(12)
_WEEKDAYS = "一二三四五六日"


class BookingState(Worded):
    """`held` waits for its confirmation; `missed` was confirmed and not used."""

    HELD = "held", "已保留，待确认"
    BOOKED = "booked", "预约成功"
    CANCELLED = "cancelled", "已取消"
    CHECKED_IN = "checked_in", "已签到"
    EXPIRED = "expired", "超时未确认"
    MISSED = "missed", "未到场"

    @property
    def live(self) -> bool:
        """Whether it keeps its person from booking another of the group."""
        return self in {BookingState.HELD, BookingState.BOOKED}


# Slots


def slot_times(hours: Iterable[tuple[time, time]], *, minutes: int, day: date) -> list[tuple[datetime, datetime]]:
    """The slots of a day's opening hours in Shanghai; what is left of a stretch and shorter than a slot has none."""
    length = timedelta(minutes=minutes)
    return [span for begins, ends in hours for span in _cut(day, begins, ends, length)]


def _cut(day: date, begins: time, ends: time, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    at, end = datetime.combine(day, begins, SHANGHAI), datetime.combine(day, ends, SHANGHAI)
    while at + length <= end:
        yield at, at + length
        at += length


def days_to_release(
    calendar: WorkCalendar, *, today: date, released_through: date | None, days_ahead: int
) -> list[date]:
    """The working days that have no slots yet, up to `days_ahead` days from today."""
    first = today if released_through is None else max(today, released_through + timedelta(days=1))
    last = last_day(today, days_ahead)
    span = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    return [day for day in span if calendar.is_working_day(day)]


def last_day(today: date, days_ahead: int) -> date:
    """The last day that can be booked today."""
    return today + timedelta(days=days_ahead)


def in_the_morning(starts_at: datetime) -> bool:
    return to_shanghai(starts_at).time() < NOON


def weekday_text(day: date) -> str:
    return f"星期{_WEEKDAYS[day.weekday()]}"


# Booking


def active_key(resident_id: str, business_group: str) -> str:
    """One live appointment for each person and group of counters: unique while it lives."""
    return f"{resident_id}:{business_group}"


def check_bookable(*, starts_at: datetime, closed: bool, now: datetime) -> None:
    """SLOT_PAST, DAY_CLOSED."""
    if starts_at <= now:
        raise SlotPast
    if closed:
        raise DayClosed


def lapsed(state: BookingState, hold_until: datetime | None, now: datetime) -> bool:
    """Whether a hold's time is over: its place is anybody's again."""
    return state is BookingState.HELD and hold_until is not None and hold_until <= now


def check_confirmable(
    state: BookingState, *, hold_until: datetime | None, starts_at: datetime, closed: bool, now: datetime
) -> None:
    """HOLD_EXPIRED, SLOT_PAST, DAY_CLOSED, or what it is already."""
    if state is BookingState.EXPIRED or lapsed(state, hold_until, now):
        raise HoldExpired
    if state is BookingState.CANCELLED:
        raise AppointmentCancelled
    if state is not BookingState.HELD:
        raise AlreadyConfirmedAppointment
    check_bookable(starts_at=starts_at, closed=closed, now=now)


def check_cancellable(state: BookingState, *, starts_at: datetime, now: datetime) -> None:
    """HOLD_EXPIRED, APPOINTMENT_CANCELLED, APPOINTMENT_USED, APPOINTMENT_OVER."""
    _check_not_ended(state)
    if state is BookingState.MISSED or starts_at <= now:
        raise AppointmentOver


def check_pass(state: BookingState) -> None:
    """PASS_NOT_READY unless it is confirmed and unused."""
    if state is not BookingState.BOOKED:
        raise PassNotReady


# At the counter


@dataclass(frozen=True, slots=True)
class CheckInWindow:
    opens: datetime
    closes: datetime


def check_in_window(*, starts_at: datetime, ends_at: datetime) -> CheckInWindow:
    """From 30 minutes before the slot to its end."""
    return CheckInWindow(starts_at - CHECK_IN_OPENS, ends_at)


def check_check_in(state: BookingState, window: CheckInWindow, *, now: datetime) -> None:
    """Once, in its window: APPOINTMENT_USED, APPOINTMENT_CANCELLED, CHECK_IN_TOO_EARLY, CHECK_IN_TOO_LATE."""
    _check_not_ended(state)
    if now < window.opens:
        raise CheckInTooEarly(extra={"opens_at": rfc3339(window.opens)})
    if state is BookingState.MISSED or now > window.closes:
        raise CheckInTooLate


def _check_not_ended(state: BookingState) -> None:
    if state is BookingState.EXPIRED:
        raise HoldExpired
    if state is BookingState.CANCELLED:
        raise AppointmentCancelled
    if state is BookingState.CHECKED_IN:
        raise AppointmentUsed


def check_closable(day: date, *, now: datetime) -> None:
    """DAY_OVER for a day that is over."""
    if day < local_date(now):
        raise DayOver


def visit_number(letter: str, count: int) -> str:
    """The number that is called out: short, and worth nothing without its pass."""
    return f"{letter}{count:03d}"


def pass_hash(text: str) -> str:
    """How a pass is found: 160 random bits need no salt."""
    return sha256(text.encode()).hexdigest()
