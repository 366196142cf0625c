from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


class Clock:
    """The partners' clock: real time plus an offset that tests may move forward."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self._offset = timedelta(seconds=offset_seconds)

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def timestamp(self) -> int:
        """Whole seconds since 1970, as signatures carry them."""
        return int(self.now().timestamp())

    def beijing(self) -> str:
        """RFC 3339 with +08:00 and whole seconds, as WeChat Pay writes times."""
        return self.now().astimezone(BEIJING).isoformat(timespec="seconds")

    @contextmanager
    def behind(self, seconds: float) -> Iterator[None]:
        """Stand earlier for the length of a block that awaits nothing: what it stamps is old."""
        self.advance(-seconds)
        try:
            yield
        finally:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    @property
    def offset_seconds(self) -> float:
        return self._offset.total_seconds()
