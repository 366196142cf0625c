"""What the partners write down: one JSON object per line, appended, read back after a restart."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sandbox.clock import Clock


class Books:
    """Append-only journals in one folder. They hold fictional residents' data in clear: a sandbox's only."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._open: dict[str, TextIO] = {}

    def write(self, book: str, entry: dict[str, Any]) -> None:
        file = self._open.get(book)
        if file is None:
            file = self._open[book] = self._continue(book)
        line = {"at": self._clock.beijing(), **entry}
        file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        file.flush()

    def read(self, book: str) -> Iterator[dict[str, Any]]:
        """The entries in the order written; a last line cut off by a kill is left out."""
        path = self._path(book)
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)

    def close(self) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _path(self, book: str) -> Path:
        return self._folder / f"{book}.jsonl"

    def _continue(self, book: str) -> TextIO:
        path = self._path(book)
        if path.exists():
            content = path.read_bytes()
            # A line that a kill cut off would otherwise swallow the next entry.
            path.write_bytes(content[: content.rfind(b"\n") + 1])
        return path.open("a", encoding="utf-8")
