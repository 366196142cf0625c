from pathlib import Path

import pytest

from bench.load.wrk import Post, Run, parse, told, write_posts, write_requests

OUTPUT = """Running 1s test @ http://127.0.0.1:1
  1 threads and 32 connections
{"requests":4000,"microseconds":2000000,"p50_us":15500,"p99_us":31250,"failed":0}
"""


def test_the_result_is_found_in_the_output():
    assert parse(OUTPUT) == (4000, 2.0, 15.5, 31.25)


def test_a_run_with_a_failed_request_measures_nothing():
    with pytest.raises(RuntimeError, match="3 of 4000 requests failed"):
        parse(OUTPUT.replace('"failed":0', '"failed":3'))


def test_a_run_without_requests_measures_nothing():
    with pytest.raises(RuntimeError, match="nothing is measured"):
        parse(OUTPUT.replace('"requests":4000', '"requests":0'))


def test_an_output_without_result_is_told():
    with pytest.raises(RuntimeError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1")


def test_cpu_time_is_per_request():
    assert Run(requests=4000, seconds=2.0, p50_ms=1.0, p99_ms=2.0, cpu_seconds=1.0).cpu_us == 250.0


def test_the_median_run_is_told():
    runs = [Run(1000 * each, 1.0, 2.0, 3.0, 0.5) for each in (1, 9, 2)]
    assert told(runs) == {"cpu_us": 250.0, "requests_per_second": 2000.0, "p50_ms": 2.0, "p99_ms": 3.0}


def test_requests_are_written_line_by_line(tmp_path: Path):
    path = tmp_path / "requests"
    write_requests(path, [("/a", "token"), ("/b", "")])
    assert path.read_text(encoding="ascii") == "/a\ttoken\n/b\t\n"


def test_posts_are_written_one_to_a_line(tmp_path: Path):
    path = tmp_path / "posts"
    write_posts(path, [Post("/a", {"X-One": "1", "X-Two": "2"}, '{"b":1}')])
    assert path.read_text(encoding="utf-8") == '/a\tX-One: 1\tX-Two: 2\t{"b":1}\n'
