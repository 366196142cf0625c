"""Runs a module and samples where its CPU time goes: `python -m bench.sampling <result file> <module> <arguments>`.

Every 2 ms of CPU time the running stack is put down to the innermost layer that it is in. Unlike cProfile this
makes nothing dearer, so that the shares are those of production.
"""

import json
import runpy
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

_EVERY_SECONDS = 0.002
_LAYERS = (
    ("log line", ("/kit/log.py", "/structlog/")),
    ("metrics", ("/prometheus_client/",)),
    ("database driver", ("/aiomysql/", "/pymysql/", "/kit/db/pool.py")),
    ("Tortoise's connection", ("/tortoise/",)),
    ("SQL text and its values", ("/kit/db/",)),
    ("idempotency key", ("/kit/idempotency/",)),
    ("session", ("/kit/sessions.py", "/server/identity/", "/server/wiring/")),
    ("the query's own rows to JSON", ("/server/applications/", "/server/appointments/", "/kit/clock.py")),
    ("edge and middleware", ("/kit/web/", "/kit/ids.py", "/miniprogram_api/")),
    ("HTTP and event loop", ("/sanic/", "/sanic_routing/", "/html5tagger/", "/tracerite/")),
)
REST = "other"


def layer_of(files: Sequence[str]) -> str:
    """The layer of a stack, given its files from the innermost outwards."""
    for file in files:
        for layer, parts in _LAYERS:
            if any(part in file for part in parts):
                return layer
    return REST


class Sampler:
    """Counts samples by layer while it is on."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        self.counts[layer_of(list(_files(frame)))] += 1


def _files(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def shares(counts: dict[str, int]) -> list[tuple[str, float]]:
    """Layers with their part of all samples, the largest first."""
    total = sum(counts.values())
    return [(layer, count / total) for layer, count in sorted(counts.items(), key=lambda each: -each[1])]


def main() -> None:
    """Run the module as if called by itself; the counts are written when it ends."""
    result, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    sampler = Sampler()
    sampler.start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sampler.stop()
        Path(result).write_text(json.dumps(sampler.counts), encoding="utf-8")


if __name__ == "__main__":
    main()
