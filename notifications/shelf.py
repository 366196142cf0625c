"""Where templates are found: the versions in the database, and what was shipped for those that have none."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from kit.db import fetch_one
from notifications.templates import Template, from_content

FRESH_SECONDS = 5.0
"""How long another process may go on with the version before."""


class Shelf:
    """Templates by code; a version never changes, which one is in force is asked again every few seconds."""

    def __init__(
        self,
        shipped: Mapping[str, Template],
        *,
        seconds: float = FRESH_SECONDS,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shipped = dict(shipped)
        self._seconds, self._timer = seconds, timer
        self._in_force: dict[tuple[str, str], tuple[float, Template]] = {}
        self._versions: dict[tuple[str, int], Template] = {}

    def __contains__(self, code: str) -> bool:
        return code in self.shipped

    def __iter__(self) -> Iterator[str]:
        return iter(self.shipped)

    async def in_force(self, code: str, *, now: datetime, district: str = "") -> Template:
        """The district's version if it has one, else everybody's: each time the newest that is in effect.

        ValueError for a code that there is not.
        """
        if code not in self.shipped:
            raise ValueError(f"there is no template {code}")
        until, kept = self._in_force.get((code, district), (0.0, None))
        if kept is not None and self._timer() < until:
            return kept
        row = await fetch_one(
            "SELECT version, content FROM notifications_template "
            "WHERE code = ? AND district IN ('', ?) AND effective_from <= ? "
            "ORDER BY district DESC, effective_from DESC, version DESC LIMIT 1",
            [code, district, now],
        )
        found = self.shipped[code] if row is None else self._opened(code, row["version"], row["content"])
        self._in_force[code, district] = (self._timer() + self._seconds, found)
        return found

    async def of(self, code: str, version: int) -> Template:
        """The version that a message was made with; what was shipped where no row has it."""
        kept = self._versions.get((code, version))
        if kept is not None:
            return kept
        row = await fetch_one(
            "SELECT content FROM notifications_template WHERE code = ? AND version = ?", [code, version]
        )
        return self.shipped[code] if row is None else self._opened(code, version, row["content"])

    def forget(self) -> None:
        """Ask anew which versions are in force, after one was saved here."""
        self._in_force.clear()

    def _opened(self, code: str, version: int, content: str) -> Template:
        found = self._versions.get((code, version))
        if found is None:
            found = self._versions[code, version] = from_content(code, version, content)
        return found
