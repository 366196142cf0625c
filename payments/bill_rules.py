"""When a day's bill is due, and what state it is in; decided without a database or a network."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from kit.clock import SHANGHAI, local_date
from kit.words import Worded

DAYS_BACK = 7
"""So long a bill is opened after its day, and asked for again while anything in it is unexplained."""
READY_AT = time(10, 30)
"""Both wallets have the day before ready from ten in the morning; half an hour is for theirs being late."""
FIRST_DAY_SECONDS = 30 * 60
"""Between questions for a bill that is not ready: what WeChat Pay asks for."""
AGAIN_SECONDS = 6 * 3600
"""Between looks at a bill with something unexplained: notices, polls and the wallet itself may have caught up."""
ABSENT_FOR = timedelta(hours=24)
"""After so long "there is no bill" is taken for an empty one, even though our books say that there was money."""


class BillState(Worded):
    """`matched`: nothing unexplained. `failed`: what came cannot be read or believed; it is asked for again."""

    DUE = "due", "等待账单"
    MATCHED = "matched", "已对平"
    DIFFERS = "differs", "有差异"
    FAILED = "failed", "账单异常"


def due_from(day: date) -> datetime:
    """When the bill of a day in China is first asked for."""
    return datetime.combine(day + timedelta(days=1), READY_AT, SHANGHAI)


def due_days(now: datetime) -> Iterator[date]:
    """The days whose bills are there by now, oldest first."""
    today = local_date(now)
    for back in range(DAYS_BACK, 0, -1):
        day = today - timedelta(days=back)
        if due_from(day) <= now:
            yield day


def worth_another_look(day: date, now: datetime) -> bool:
    """Whether time may still heal what is unexplained; after that it waits for people alone."""
    return now < due_from(day) + timedelta(days=DAYS_BACK)


def is_empty_day(day: date, now: datetime, *, our_records: int) -> bool:
    """Whether "there is no bill" means that nothing was traded: wallets write no bill of such a day."""
    return our_records == 0 or now - due_from(day) >= ABSENT_FOR


def state_of(unexplained: int) -> BillState:
    """What a bill that was held against our books is."""
    return BillState.DIFFERS if unexplained else BillState.MATCHED
