"""One line per step on the screen: number, what, HTTP statuses, milliseconds."""

import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.phones.journey import Journey

_WHAT_WIDTH, _STATUS_WIDTH, _MS_WIDTH = 74, 24, 8


@dataclass(frozen=True, slots=True)
class Step:
    """`number` as in the journey; `act` may answer a status of its own where no phone calls."""

    number: int
    what: str
    act: Callable[[], str | None]


@dataclass(slots=True)
class Report:
    journey: Journey
    milliseconds: dict[int, float] = field(default_factory=dict)

    def head(self) -> None:
        print(_row("", "step", "HTTP status", "ms"))

    def walk(self, step: Step) -> None:
        """Do it and print its line, also when it fails; what went wrong is raised on."""
        self.journey.step = step.number
        start = time.monotonic()
        status = "FAILED"
        try:
            status = step.act() or _shown(self.journey.statuses(step.number))
        except KeyboardInterrupt:
            status = "stopped"
            raise
        finally:
            took = self.milliseconds[step.number] = (time.monotonic() - start) * 1000
            _forget_waiting()
            print(_row(str(step.number), step.what, status, f"{took:.0f}"), flush=True)

    def waiting(self, what: str) -> None:
        """Say what is being waited for; on a terminal the step's own line takes its place afterwards."""
        print(f"    … {what}", end="\r" if sys.stdout.isatty() else "\n", flush=True)

    def summary(self, results: Path) -> None:
        requests = Counter(call.step for call in self.journey.calls)
        http = {number: sum(call.ms for call in self.journey.calls if call.step == number) for number in requests}
        print(f"\n{'step':>4} {'calls':>6} {'HTTP ms':>8} {'all ms':>8}")
        for number, took in self.milliseconds.items():
            print(f"{number:>4} {requests[number]:>6} {http.get(number, 0):>8.0f} {took:>8.0f}")
        print(f"{'':>4} {requests.total():>6} {sum(http.values()):>8.0f} {sum(self.milliseconds.values()):>8.0f}")
        print("\nleft behind:")
        for path in sorted(results.iterdir()):
            print(f"  {path}  ({path.stat().st_size:,} bytes)")


def _row(number: str, what: str, status: str, ms: str) -> str:
    return f"{number:>2}  {_padded(what, _WHAT_WIDTH)} {_padded(status, _STATUS_WIDTH)} {ms:>{_MS_WIDTH}}"


def _shown(statuses: Counter[int]) -> str:
    return " ".join(f"{status}x{count}" for status, count in sorted(statuses.items())) or "-"


def columns(text: str) -> int:
    """How wide it is, in columns; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - columns(text))


def _forget_waiting() -> None:
    if sys.stdout.isatty():
        print("\033[2K", end="\r")
