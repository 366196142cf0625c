"""Parsed content kept in the process: a version never changes, which version is in force is asked again each minute."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
FRESH_SECONDS = 60.0
MOST = 256
"""Answers kept: strangers name the district they ask about, so there must be an end to it."""


class ContentCache:
    """Remembers answers by key, for ever or for a minute; past `MOST` the one unused longest goes."""

    def __init__(self, *, seconds: float = FRESH_SECONDS, timer: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._timer = timer
        self._kept: OrderedDict[tuple[object, ...], tuple[float, Any]] = OrderedDict()

    async def get(self, key: tuple[object, ...], find: Callable[[], Awaitable[T]], *, forever: bool = False) -> T:
        """The remembered answer, or what `find` finds now; what it raises is not remembered."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._timer():
            self._kept.move_to_end(key)
            found: T = kept[1]
            return found
        found = await find()
        self._kept[key] = (float("inf") if forever else self._timer() + self._seconds, found)
        self._kept.move_to_end(key)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return found

    def clear(self) -> None:
        """Forget everything, after content has been loaded."""
        self._kept.clear()
