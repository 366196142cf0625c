"""Claim, handle, finish; a crash anywhere only means that a row is handled again."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

import orjson
from prometheus_client import Counter, Histogram

from kit.clock import Clock
from kit.errors import OutsideError, Permanent, Problem
from kit.log import get_logger, request_scope
from kit.outbox import claim as claims
from kit.outbox.claim import Claim
from kit.outbox.event import Event, Handler

LONGEST_WAIT_SECONDS = 600.0
log = get_logger("outbox")
_HANDLED = Counter("outbox_handled_total", "Outbox rows worked on: done, retry, parked or lost", ["handler", "result"])
_SECONDS = Histogram("outbox_handler_seconds", "Time that a handler took", ["handler"])


@dataclass
class Drain:
    """Works the outbox for `house`; build it once per worker process."""

    house: Any
    handlers: Sequence[Handler]
    clock: Clock
    concurrency: int = 8
    lease_seconds: int = 60
    crash_at: str | None = None  # tests only: "before:<handler>" or "after:<handler>", several joined by commas
    _by_name: Mapping[str, Handler] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {handler.name: handler for handler in self.handlers}
        if len(self._by_name) != len(self.handlers):
            raise ValueError("two handlers share a name")

    async def once(self) -> int:
        """Handle what is due now, at most `concurrency` rows at a time; answers how many were claimed."""
        rows = await self.due()
        done = await asyncio.gather(*(self._work(row) for row in rows), return_exceptions=True)
        # Only now that no row is in hand any more: what went wrong with a row's lease is the loop's to see.
        for result in done:
            if isinstance(result, BaseException):
                raise result
        return sum(result is True for result in done)

    async def until_idle(self, *, rounds: int = 1000) -> None:
        """Handle everything that is due, and what that causes."""
        for _ in range(rounds):
            if await self.once() == 0:
                return
        raise RuntimeError("the outbox does not come to rest")

    async def due(self) -> list[dict[str, Any]]:
        """What may be worked on now, at most `concurrency` rows; a row that is due stays so until somebody has it."""
        return await claims.candidates(now=self.clock.now(), limit=self.concurrency)

    async def lease(self, row: dict[str, Any]) -> Claim | None:
        """Take one of them, or None when it is taken."""
        return await claims.lease(row, now=self.clock.now(), seconds=self.lease_seconds)

    async def carry_out(self, claim: Claim) -> None:
        """Handle a leased row under its request's id; only the database can make this fail."""
        started = time.monotonic()
        with request_scope(claim.request_id):
            result = await self._handle(claim)
        handler = claim.handler if claim.handler in self._by_name else "unknown"
        _HANDLED.labels(handler, result).inc()
        _SECONDS.labels(handler).observe(time.monotonic() - started)

    async def _work(self, row: dict[str, Any]) -> bool:
        claim = await self.lease(row)
        if claim is None:
            return False
        await self.carry_out(claim)
        return True

    async def _handle(self, claim: Claim) -> str:
        """What became of it: `done`, `retry`, `parked`, or `lost` to another worker after its lease."""
        self._crash("before", claim)
        try:
            await self._run(claim)
        except Exception as error:  # noqa: BLE001 - a handler may fail in any way; the row remembers
            return await self._failed(claim, error)
        self._crash("after", claim)
        if not await claims.finish(claim, now=self.clock.now()):
            log.warning("lease_lost", handler=claim.handler, row=claim.id)
            return "lost"
        return "done"

    async def _run(self, claim: Claim) -> None:
        handler = self._by_name.get(claim.handler)
        if handler is None:
            raise Permanent(f"unknown handler {claim.handler}")
        await handler.run(self.house, _decode(handler.event, claim.payload))

    async def _failed(self, claim: Claim, error: Exception) -> str:
        text = describe(error)
        if _is_permanent(error):
            log.error("parked", handler=claim.handler, row=claim.id, error=text)
            await claims.park(claim, error=text)
            return "parked"
        wait = back_off(claim.attempts) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        log.warning("will_retry", handler=claim.handler, row=claim.id, error=text, seconds=round(wait, 1))
        if not isinstance(error, OutsideError):
            log.warning("handler_failed", handler=claim.handler, exc_info=error)
        await claims.put_back(claim, available_at=self.clock.now() + timedelta(seconds=wait), error=text)
        return "retry"

    def _crash(self, moment: str, claim: Claim) -> None:
        point = f"{moment}:{claim.handler}"
        if self.crash_at and point in self.crash_at.split(","):
            log.warning("planned_crash", point=point)
            os.kill(os.getpid(), signal.SIGKILL)


def back_off(attempts: int) -> float:
    """Seconds until the next attempt, before jitter: doubling from half a second to ten minutes."""
    return min(LONGEST_WAIT_SECONDS, 0.25 * float(1 << min(attempts, 20)))


def _decode(event: type[Event], payload: str) -> Event:
    known = {part.name for part in fields(event)}
    return event(**{key: value for key, value in orjson.loads(payload).items() if key in known})


def _is_permanent(error: Exception) -> bool:
    return isinstance(error, Permanent | Problem) or (isinstance(error, OutsideError) and error.permanent)


def describe(error: Exception) -> str:
    """What the row and the log may keep of an error: kind and code, never a message that may quote a person."""
    if isinstance(error, OutsideError):
        return str(error)[:255]
    code = error.code if isinstance(error, Problem) else (str(error) if isinstance(error, Permanent) else "")
    return f"{type(error).__name__}: {code}"[:255]
