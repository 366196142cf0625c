import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from kit.clock import (
    FixedClock,
    OffsetClock,
    SystemClock,
    date_text,
    day_begins,
    local_date,
    rfc3339,
    time_text,
    to_shanghai,
)

EVENING = datetime(2026, 11, 21, 16, 30, 5, 999_999, tzinfo=UTC)


def test_system_clock_is_aware_utc():
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_offset_clocks_on_one_file_move_together(tmp_path: Path):
    path = tmp_path / "offset"
    clocks = [OffsetClock(path), OffsetClock(path)]
    assert all(abs(c.now() - datetime.now(UTC)) < timedelta(seconds=5) for c in clocks)
    for days in (30, 31):
        fresh = tmp_path / "fresh"
        fresh.write_text(f"{days * 86400}\n")
        os.replace(fresh, path)  # noqa: PTH105 - the atomic form the clock asks for
        for clock in clocks:
            assert abs(clock.now() - datetime.now(UTC) - timedelta(days=days)) < timedelta(seconds=5)


def test_offset_clock_refuses_rubbish(tmp_path: Path):
    path = tmp_path / "offset"
    path.write_text("soon")
    with pytest.raises(ValueError, match="soon"):
        OffsetClock(path).now()


def test_fixed_clock_moves_only_when_told():
    clock = FixedClock(EVENING.astimezone(timezone(timedelta(hours=8))))
    assert clock.now() == EVENING
    assert clock.now().tzinfo is UTC
    clock.advance(seconds=1.5)
    assert clock.now() == EVENING + timedelta(seconds=1.5)


def test_rfc3339_is_shanghai_time_in_whole_seconds():
    assert rfc3339(EVENING) == "2026-11-22T00:30:05+08:00"


def test_the_day_is_shanghais():
    assert local_date(EVENING) == date(2026, 11, 22)


def test_a_day_begins_at_shanghais_midnight():
    assert day_begins(date(2026, 11, 22)) == datetime(2026, 11, 21, 16, tzinfo=UTC)


def test_naive_moments_are_refused():
    with pytest.raises(ValueError, match="time zone"):
        to_shanghai(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive value under test
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001 - the same


def test_people_read_shanghai_time():
    assert time_text(datetime(2026, 11, 20, 17, 5, tzinfo=UTC)) == "2026年11月21日 01:05"
    assert date_text(date(2026, 3, 5)) == "2026年3月5日"
