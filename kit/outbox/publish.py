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
        if not in_transaction():
            raise RuntimeError("publish needs the transaction of the change it tells of")
        listeners = self._listeners.get(event.name, [])
        if not listeners:
            return
        if len(event.ordering_key) > LONGEST_ORDERING_KEY:
            raise ValueError(f"the ordering key of {event.name} is longer than {LONGEST_ORDERING_KEY}")
        now = self._clock.now()
        available = now + timedelta(seconds=delay_seconds)
        payload = orjson.dumps(event.payload()).decode()
        values: list[object] = []
        for name in listeners:
            values += [new_id(), event.name, event.version, name, event.ordering_key, payload, "pending"]
            values += [available, current_request_id(), now]
        marks = ", ".join("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" for _ in listeners)
        await execute(f"INSERT INTO kit_outbox ({_COLUMNS}) VALUES {marks}", values)  # noqa: S608 - constants
        after_commit(self._wake)
