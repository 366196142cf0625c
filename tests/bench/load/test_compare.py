from collections.abc import Callable

from bench.load.compare import by_cpu, by_work
from bench.load.wrk import Run


def test_cpu_time_decides_and_everything_is_reported():
    asked: list[tuple[str, int]] = []

    def contender(name: str, cpu_seconds: float) -> Callable[[int], Run]:
        def load(seconds: int) -> Run:
            asked.append((name, seconds))
            return Run(requests=1000, seconds=float(seconds), p50_ms=1.0, p99_ms=2.0, cpu_seconds=cpu_seconds)

        return load

    figure = by_cpu("reading", {"ours": contender("ours", 0.4), "bare": contender("bare", 0.3)})
    assert (figure.name, figure.value, figure.baseline, figure.n) == ("reading", 400.0, 300.0, 5000)
    assert figure.ratio == 0.75
    assert figure.extra["contenders"]["ours"]["requests_per_second"] == 250.0
    assert asked[:4] == [("ours", 2), ("ours", 4), ("bare", 2), ("bare", 4)], "a warm-up before each measured run"
    assert len(asked) == 20


def test_completed_work_decides_where_locks_are_waited_for():
    def contender(seconds: float) -> Callable[[], Run]:
        return lambda: Run(requests=1500, seconds=seconds, p50_ms=1.0, p99_ms=2.0, cpu_seconds=0.1)

    figure = by_work("taking", {"ours": contender(3.0), "bare": contender(1.5)}, unit="us/notice")
    assert (figure.value, figure.baseline, figure.ratio, figure.unit) == (2000.0, 1000.0, 0.5, "us/notice")
    assert figure.n == 7500
