from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from server.terms.errors import TermError

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The State Council's yearly arrangement: days `off`, weekend days at `work`, years covered.

    A day of a year not covered counts by its weekday: a deadline then falls too early, never too late for
    the resident. `verified` holds the years checked against the published notice.
    """

    off: frozenset[date]
    work: frozenset[date]
    years: frozenset[int]
    verified: frozenset[int]

    def is_working_day(self, day: date) -> bool:
        if day in self.work:
            return True
        return day not in self.off and day.weekday() < _SATURDAY

    def covers(self, day: date) -> bool:
        return day.year in self.years


def add_working_days(start: date, count: int, calendar: WorkCalendar) -> date:
    """The `count`-th working day after `start`; `start` itself never counts."""
    if count < 1:
        raise TermError("WORKING_DAYS_INVALID", "工作日天数应至少为1天。")
    days = (day for day in _days_after(start) if calendar.is_working_day(day))
    for _ in range(count - 1):
        next(days)
    return next(days)


def working_days_between(start: date, end: date, calendar: WorkCalendar) -> int:
    """Working days after `start` up to and including `end`; 0 when `end` is not later."""
    span = range((end - start).days)
    return sum(calendar.is_working_day(start + _ONE_DAY * (step + 1)) for step in span)


def _days_after(start: date) -> Iterator[date]:
    day = start
    while True:
        day += _ONE_DAY
        yield day
