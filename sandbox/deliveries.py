"""Notifications on their way to the city: signed anew for each attempt, repeated on the partner's schedule."""

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.faults import HELD_SECONDS, STALE_SECONDS, Faults, Kind

PATIENCE_SECONDS = 5.0
_EXCERPT = 4000


@dataclass(frozen=True, slots=True)
class Forgery:
    """How an attempt differs from an honest one."""

    wrong_key: bool = False
    stale_seconds: int = 0
    signtest: bool = False


HONEST = Forgery()
Signature = Callable[[bytes, str, Forgery], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receiver said; `status` None when it did not answer in time or could not be reached."""

    status: int | None
    body: str


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One notification; `sign(body, url, forgery)` gives the headers, `accepts` reads the receiver's status.

    For partners that sign inside the body `compose(forgery)` makes each attempt's; `accepts_body` reads what was said.
    """

    target: str
    subject: str
    url: str
    body: bytes
    sign: Signature
    accepts: Callable[[int], bool]
    on_accepted: Callable[[], None]
    compose: Callable[[Forgery], bytes] | None = None
    accepts_body: Callable[[str], bool] = lambda _: True
    attempts: list[dict[str, Any]] = field(default_factory=list)
    accepted: bool = False
    last_headers: dict[str, str] | None = None


class Courier:
    """Sends; `time_scale` multiplies the waits between attempts (0.001 makes 15 s of 4 h)."""

    def __init__(self, *, clock: Clock, faults: Faults, books: Books, time_scale: float) -> None:
        self._clock = clock
        self._faults = faults
        self._books = books
        self._time_scale = time_scale
        self._http: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest: dict[tuple[str, str], Delivery] = {}
        self._held: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    async def open(self) -> None:
        self._http = httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def dispatch(self, delivery: Delivery, schedule: Sequence[float]) -> None:
        """Send now, then again after each wait of `schedule` (seconds, unscaled) until it is accepted."""
        self._latest[delivery.target, delivery.subject] = delivery
        task = asyncio.get_running_loop().create_task(self._keep_sending(delivery, schedule))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def latest(self, target: str, subject: str) -> Delivery | None:
        return self._latest.get((target, subject))

    async def send(self, delivery: Delivery, forgery: Forgery = HONEST) -> Receipt:
        """One attempt, whatever comes of it."""
        if delivery.compose is not None:
            delivery.body = delivery.compose(forgery)
        return await self._post(delivery, delivery.sign(delivery.body, delivery.url, forgery))

    async def replay(self, delivery: Delivery) -> Receipt:
        """The last attempt again, byte for byte and header for header."""
        return await self._post(delivery, delivery.last_headers or {})

    async def _keep_sending(self, delivery: Delivery, schedule: Sequence[float]) -> None:
        for wait in itertools.chain((0.0,), schedule):
            await asyncio.sleep(wait * self._time_scale)
            if await self._attempt(delivery):
                delivery.accepted = True
                delivery.on_accepted()
                return

    async def _attempt(self, delivery: Delivery) -> bool:
        fault = self._faults.take(delivery.target)
        kind = fault.kind if fault else None
        if fault and kind is Kind.DELAY:
            await asyncio.sleep(fault.seconds)
        if kind is Kind.DROP:
            self._note(delivery, Receipt(None, "dropped"))
            return False
        if fault and kind is Kind.OUT_OF_ORDER:
            await self._let_pass(delivery.target, fault.seconds or HELD_SECONDS)
        stale = (fault.seconds or STALE_SECONDS) if fault and kind is Kind.STALE_CLOCK else 0
        forgery = Forgery(wrong_key=kind is Kind.WRONG_SIGNATURE, stale_seconds=int(stale))
        copies = 2 if kind is Kind.DUPLICATE else 1
        receipts = [await self.send(delivery, forgery) for _ in range(copies)]
        for held in self._held.pop(delivery.target, []):
            held.set()
        return any(_accepted(delivery, receipt) for receipt in receipts)

    async def _let_pass(self, target: str, seconds: float) -> None:
        """Wait until another notification of the target has gone before this one, but not for ever."""
        passed = asyncio.Event()
        self._held[target].append(passed)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(passed.wait(), timeout=seconds)

    async def _post(self, delivery: Delivery, headers: dict[str, str]) -> Receipt:
        if self._http is None:
            raise RuntimeError("the courier has not been opened")
        delivery.last_headers = headers
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._http.post(delivery.url, content=delivery.body, headers=headers)
            receipt = Receipt(answer.status_code, answer.text[:_EXCERPT])
        except (httpx.HTTPError, TimeoutError) as error:
            receipt = Receipt(None, type(error).__name__)
        self._note(delivery, receipt)
        return receipt

    def _note(self, delivery: Delivery, receipt: Receipt) -> None:
        attempt = {"at": self._clock.now().timestamp(), "status": receipt.status}
        delivery.attempts.append(attempt)
        entry = {"target": delivery.target, "subject": delivery.subject, "url": delivery.url, "status": receipt.status}
        self._books.write("deliveries", entry)

    def overview(self) -> Iterator[dict[str, Any]]:
        for each in self._latest.values():
            yield {
                "target": each.target,
                "subject": each.subject,
                "url": each.url,
                "accepted": each.accepted,
                "attempts": each.attempts,
            }


def _accepted(delivery: Delivery, receipt: Receipt) -> bool:
    return receipt.status is not None and delivery.accepts(receipt.status) and delivery.accepts_body(receipt.body)
