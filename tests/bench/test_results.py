import json
from pathlib import Path

from bench.results import Figure, table, write

READ = Figure(
    name="progress_read",
    value=450.12345,
    baseline=330.0,
    unit="us CPU/request",
    ratio=0.73312,
    n=31234,
    extra={"contenders": {"ours": {"cpu_us": 450.1, "p99_ms": 31.5}}},
)
CHECK = Figure(name="verify_offline", value=75.0, baseline=53.0, unit="us CPU/check", ratio=0.7067, n=20000)


def test_a_figure_has_the_members_that_are_judged(tmp_path: Path):
    path = tmp_path / "var" / "bench" / "results.json"
    write(path, [READ])
    (found,) = json.loads(path.read_text(encoding="utf-8"))
    assert found == {
        "name": "progress_read",
        "value": 450.123,
        "baseline": 330.0,
        "unit": "us CPU/request",
        "ratio": 0.7331,
        "better": "higher",
        "n": 31234,
        "contenders": {"ours": {"cpu_us": 450.1, "p99_ms": 31.5}},
    }


def test_a_later_run_replaces_its_own_figures_only(tmp_path: Path):
    path = tmp_path / "results.json"
    write(path, [CHECK, READ])
    again = Figure(name="verify_offline", value=80.0, baseline=53.0, unit="us CPU/check", ratio=0.6625, n=10)
    write(path, [again])
    found = {each["name"]: each for each in json.loads(path.read_text(encoding="utf-8"))}
    assert list(found) == ["progress_read", "verify_offline"]
    assert found["verify_offline"]["ratio"] == 0.6625
    assert found["progress_read"]["n"] == 31234
    assert list(tmp_path.iterdir()) == [path]


def test_the_table_shows_figures_and_contenders():
    lines = table([CHECK, READ]).splitlines()
    assert lines[1].split() == ["verify_offline", "75.0", "53.0", "us", "CPU/check", "0.71", "20000"]
    assert lines[3].split() == ["ours", "cpu_us", "450.1", "p99_ms", "31.5"]
