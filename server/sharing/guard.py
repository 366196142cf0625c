"""Stands before one source in one process: a time limit, a limit on questions at once, and a pause when it is down."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kit.clock import Clock
from kit.errors import OutsideError
from server.sharing.rules import Breaker, Circuit, Patience, answered, asking, breaker_of, failed, given_up

T = TypeVar("T")
TIMEOUT, BUSY, LEFT_ALONE = "TIMEOUT", "TOO_MANY_AT_ONCE", "LEFT_ALONE"


class SourceGuard:
    """Asks on behalf of everybody; what is not asked, or not answered in time, is an OutsideError."""

    def __init__(
        self, source: str, clock: Clock, *, seconds: float = 3.0, at_once: int = 8, patience: Patience | None = None
    ) -> None:
        """`seconds` for one question, waiting for a free place included; `at_once` questions on their way."""
        self._source = source
        self._clock = clock
        self._seconds = seconds
        self._places = asyncio.Semaphore(at_once)
        self._patience = patience or Patience()
        self._circuit = Circuit()

    @property
    def state(self) -> Breaker:
        return breaker_of(self._circuit, self._patience, now=self._clock.now())

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Put the question, unless the source is left alone (LEFT_ALONE) or has no free place (TOO_MANY_AT_ONCE)."""
        deadline = asyncio.get_running_loop().time() + self._seconds
        await self._place(deadline)
        try:
            return await self._asked(question, deadline)
        finally:
            self._places.release()

    async def _place(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.acquire()
        except TimeoutError:
            raise OutsideError(self._source, BUSY, "no free place in time", permanent=False) from None

    async def _asked(self, question: Callable[[], Awaitable[T]], deadline: float) -> T:
        going = asking(self._circuit, self._patience, now=self._clock.now())
        if going is None:
            raise OutsideError(self._source, LEFT_ALONE, "down a moment ago", permanent=False)
        self._circuit = going
        try:
            async with asyncio.timeout_at(deadline):
                answer = await question()
        except TimeoutError:
            self._fail()
            raise OutsideError(self._source, TIMEOUT, "no answer in time", permanent=False) from None
        except OutsideError as error:
            if error.permanent:  # it refuses this question, so it is there
                self._circuit = answered()
            else:
                self._fail()
            raise
        except BaseException:
            self._circuit = given_up(self._circuit)
            raise
        self._circuit = answered()
        return answer

    def _fail(self) -> None:
        self._circuit = failed(self._circuit, self._patience, now=self._clock.now())
