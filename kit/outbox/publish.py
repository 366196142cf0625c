from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta

import orjson

from kit.clock import Clock
from kit.db import after_commit, execute, in_transaction
from kit.ids import new_id
from kit.log import current_request_id
from kit.outbox.event import Event, Handler

_COLUMNS = "id, event_name, event_version, handler, ordering_key, payload, state, available_at, request_id, created_at"
_COLUMN_COUNT = _COLUMNS.count(",") + 1
LONGEST_ORDERING_KEY = 64


class Outbox:
    """Where features publish; it alone knows who listens."""

    def __init__(self, handlers: Sequence[Handler], *, clock: Clock, wake: Callable[[], None]) -> None:
        """`wake` is called after a commit that published something, to spare the worker its poll."""
        self._listeners: dict[str, list[str]] = defaultdict(list)
        for handler in handlers:
            self._listeners[handler.event.name].append(handler.name)
        self._clock = clock
        self._wake = wake

    async def publish(self, event: Event, *, delay_seconds: float = 0) -> None:
        """Write one row per listener in the caller's transaction; `delay_seconds` makes it a timer."""
        await self.publish_all([(event, current_request_id())], delay_seconds=delay_seconds)

    async def publish_all(self, events: Sequence[tuple[Event, str]], *, delay_seconds: float = 0) -> None:
        """The same for several events, each with the id of the request that it came from, in one statement."""
        if not in_transaction():
            raise RuntimeError("publish needs the transaction of the change it tells of")
        now = self._clock.now()
        available = now + timedelta(seconds=delay_seconds)
        values: list[object] = []
        for event, request_id in events:
            listeners = self._listeners.get(event.name, [])
            if listeners and len(event.ordering_key) > LONGEST_ORDERING_KEY:
                raise ValueError(f"the ordering key of {event.name} is longer than {LONGEST_ORDERING_KEY}")
            payload = orjson.dumps(event.payload()).decode() if listeners else ""
            for name in listeners:
                values += [new_id(), event.name, event.version, name, event.ordering_key, payload, "pending"]
                values += [available, request_id, now]
        if not values:
            return
        marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * (len(values) // _COLUMN_COUNT))
        await execute(f"INSERT INTO kit_outbox ({_COLUMNS}) VALUES {marks}", values)  # noqa: S608 - constants
        after_commit(self._wake)
