"""What the phones and the officer's desk did over HTTP, call by call, and how to wait for what comes later."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.15
_PATIENCE_SECONDS = 30.0


class NotAsItShould(Exception):
    """Something answered, or was, otherwise than it should; the text says what."""


@dataclass(frozen=True, slots=True)
class CallMade:
    """One HTTP call; `code` of the problem document, if the answer was one; `path` without its query."""

    step: int
    name: str
    method: str
    path: str
    status: int
    code: str | None
    ms: float


@dataclass(frozen=True, slots=True)
class PushTaken:
    """One message that a partner pushed to us; `status` is our answer."""

    step: int
    name: str
    status: int


@dataclass(slots=True)
class Journey:
    """All calls so far, and what partners pushed meanwhile.

    `says` is told what is being waited for, once waiting has taken a moment; nothing is waited for longer than
    `patience_seconds`.
    """

    says: Callable[[str], None] = lambda _: None
    patience_seconds: float = _PATIENCE_SECONDS
    step: int = 0
    calls: list[CallMade] = field(default_factory=list)
    pushes: list[PushTaken] = field(default_factory=list)

    def note(self, *, name: str, method: str, path: str, status: int, code: str | None, ms: float) -> None:
        self.calls.append(CallMade(self.step, name, method, path, status, code, round(ms, 1)))

    def statuses(self, step: int) -> Counter[int]:
        return Counter(call.status for call in self.calls if call.step == step)

    def write(self, path: Path, *, pushes: Path) -> None:
        """Every call as a JSON list, one to a line; what partners pushed in a file of its own."""
        for target, entries in ((path, self.calls), (pushes, self.pushes)):
            target.write_text(f"[\n{_lines([asdict(each) for each in entries])}\n]\n", encoding="utf-8")

    def wait_for(self, what: str, look: Callable[[], T | None]) -> T:
        """Look again and again until there is something; NotAsItShould when the time is over."""
        start = time.monotonic()
        told = False
        while (found := look()) is None:
            waited = time.monotonic() - start
            if waited > 1 and not told:
                self.says(f"waiting for {what}")
                told = True
            if waited > self.patience_seconds:
                raise NotAsItShould(f"waited {self.patience_seconds:g} s in vain for {what}")
            time.sleep(_POLL_SECONDS)
        return found


def _lines(entries: list[dict[str, Any]]) -> str:
    return ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in entries)


def require(holds: object, what: str) -> None:
    """Raise NotAsItShould with `what` unless it holds."""
    if not holds:
        raise NotAsItShould(what)
