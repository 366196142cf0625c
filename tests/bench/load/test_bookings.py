import json
from pathlib import Path

import pytest

from bench.load.bookings import Rush, parse, write_requests

LINE = {"made": 8, "refused": 2, "microseconds": 4_000_000, "p50_us": 1500, "p99_us": 9000, "failed": 0, "spent": 0}


def test_a_run_is_read_from_its_last_line():
    assert parse(f"Running 4s test\n{json.dumps(LINE)}\n") == (8, 2, 4.0, 1.5, 9.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"failed": 1}, "1 requests failed"), ({"made": 0}, "0 succeeded"), ({"spent": 3}, "too short")],
)
def test_a_run_that_says_nothing_is_refused(change: dict[str, int], complaint: str):
    with pytest.raises(RuntimeError, match=complaint):
        parse(json.dumps({**LINE, **change}))


def test_no_line_is_no_result():
    with pytest.raises(RuntimeError, match="told no result"):
        parse("unable to connect")


def test_what_a_booking_costs():
    rush = Rush(made=8, refused=2, seconds=4.0, p50_ms=1, p99_ms=2, cpu_seconds=1.0)
    assert (rush.us_per_booking, rush.cpu_us) == (500_000, 100_000)


def test_requests_are_lines(tmp_path: Path):
    write_requests(tmp_path / "r", [("/a", "t", "k", "{}")])
    assert (tmp_path / "r").read_text() == "/a\tt\tk\t{}\n"
