"""What time it is: the machine's time, or in test mode a time that several processes move together."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Says the current moment; always aware, always UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class OffsetClock:
    """The machine's time plus the seconds written in a file; test mode only.

    The file is read again when it changes; while it is absent or empty the offset is zero. Write it by
    renaming a complete file over it. A file that holds no number raises ValueError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return datetime.now(UTC)
        # Two renames may fall into one tick of the file system's clock: the inode tells them apart.
        stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if stamp != self._stamp:
            self._offset = timedelta(seconds=float(self._path.read_text(encoding="ascii").strip() or "0"))
            self._stamp = stamp
        return datetime.now(UTC) + self._offset


@dataclass
class FixedClock:
    """Stands still at `at` until it is advanced; for tests."""

    at: datetime

    def __post_init__(self) -> None:
        self.at = _aware(self.at).astimezone(UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, *, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def to_shanghai(moment: datetime) -> datetime:
    """Raise ValueError for a naive datetime: whose midnight it means cannot be known."""
    return _aware(moment).astimezone(SHANGHAI)


def rfc3339(moment: datetime) -> str:
    """Write a moment as JSON carries it: +08:00, whole seconds (the fraction is cut off)."""
    return to_shanghai(moment).isoformat(timespec="seconds")


def time_text(moment: datetime) -> str:
    """Write a moment as people read it, in Shanghai: 2026年11月21日 09:05."""
    local = to_shanghai(moment)
    return f"{date_text(local.date())} {local:%H:%M}"


def date_text(day: date) -> str:
    """Write a day as people read it: 2026年3月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def local_date(moment: datetime) -> date:
    """Say which day it is in Shanghai at that moment."""
    return to_shanghai(moment).date()


def day_begins(day: date) -> datetime:
    """Say when a day begins in Shanghai, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment
