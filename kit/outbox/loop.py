"""The worker's loop: a fixed number of slots, each taking the next row as soon as it is free."""

import asyncio
from collections import deque
from typing import Any

from kit.log import get_logger
from kit.outbox.claim import Claim
from kit.outbox.drain import Drain
from kit.outbox.wake import Alarm

FAILED_SECONDS = 1.0
"""How long the loop rests after the database failed it."""
log = get_logger("outbox")


class Loop:
    """Works a Drain's rows until told to stop; a slow handler holds up its own slot and its own key, nothing else."""

    def __init__(self, drain: Drain, alarm: Alarm, *, poll_seconds: float) -> None:
        self._drain = drain
        self._alarm = alarm
        self._poll_seconds = poll_seconds
        self._found: deque[dict[str, Any]] = deque()  # found by one query, taken one by one
        self._in_hand: dict[asyncio.Task[None], str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set and the alarm rung; rows in hand are finished first."""
        try:
            while not stop.is_set():
                try:
                    await self._fill()
                except Exception:
                    log.exception("drain_failed")
                    await self._rest(FAILED_SECONDS)
                else:
                    await self._rest(self._poll_seconds)
        finally:
            await asyncio.gather(*self._in_hand, return_exceptions=True)

    @property
    def _free(self) -> int:
        return self._drain.concurrency - len(self._in_hand)

    async def _fill(self) -> None:
        """Give each free slot a row, as long as there are rows; what goes wrong with one keeps none of the others."""
        while self._free and (self._found or await self._look()):
            rows = [self._found.popleft() for _ in range(min(self._free, len(self._found)))]
            taken = await asyncio.gather(*map(self._drain.lease, rows), return_exceptions=True)
            for claim in taken:
                if isinstance(claim, Claim):
                    self._start(claim)
            for error in taken:
                if isinstance(error, BaseException):
                    raise error

    async def _look(self) -> bool:
        """Whether rows are due. One in hand for longer than its lease is still ours: only another worker may help."""
        ours = set(self._in_hand.values())
        self._found.extend(row for row in await self._drain.due() if row["id"] not in ours)
        return bool(self._found)

    def _start(self, claim: Claim) -> None:
        task = asyncio.create_task(self._drain.carry_out(claim))
        self._in_hand[task] = claim.id
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_hand[task]
        if not task.cancelled() and (error := task.exception()):
            # The row is taken again when its lease runs out.
            log.error("drain_failed", exc_info=error)

    async def _rest(self, seconds: float) -> None:
        """Until a slot becomes free or, while one is, until somebody rings or the time is over."""
        ring = asyncio.create_task(self._alarm.wait(seconds))
        waiting = {*self._in_hand, ring} if self._free else {*self._in_hand}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ring.cancel()
