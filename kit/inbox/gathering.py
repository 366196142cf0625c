"""Keeping what arrives at the same time in one transaction.

Notices come in bursts, and most of what keeping one costs is its transaction: while one is being committed, those that
come meanwhile wait together for the next. Nobody waits for company: a single notice is kept at once. Each sender is
still acknowledged only after its own message is committed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import pymysql
from tortoise.exceptions import IntegrityError, OperationalError

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.db import execute, in_transaction, transactional
from kit.ids import new_id
from kit.inbox.models import InboxMessage
from kit.log import current_request_id
from kit.outbox import Event, Outbox

LONGEST_EXTERNAL_ID = 128
BODY_AT = "kit_inbox.body_sealed"
_MOST = 64
_MOST_BYTES = 1 << 20  # twice that as text: far from the 16 MiB that MariaDB takes in one statement by default


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One message, sealed, with what is to be told of it; `kept` is what its receiver waits for."""

    id: str
    system: str
    external_id: str
    body_sealed: bytes
    received_at: datetime
    event: Event
    request_id: str
    kept: "asyncio.Future[bool]" = field(compare=False)


class Inbox:
    """Where the messages of the outside are kept; one for each callback of a process."""

    def __init__(self, outbox: Outbox, cipher: Cipher, clock: Clock) -> None:
        self._outbox = outbox
        self._cipher = cipher
        self._clock = clock
        self._waiting: list[_Arrival] = []
        self._keeping: asyncio.Task[None] | None = None

    async def receive(self, *, system: str, external_id: str, body: bytes, announce: Callable[[str], Event]) -> bool:
        """Keep a verified message once and publish `announce(inbox id)`; False when it was here already.

        `external_id` is the sender's own unique id of the message, 1 to 128 characters; ValueError for any other.
        Never called with a transaction open.
        """
        if not 1 <= len(external_id) <= LONGEST_EXTERNAL_ID:
            raise ValueError("a message needs its sender's own id, of at most 128 characters")
        if in_transaction():
            raise RuntimeError("a message is kept in a transaction that it shares with others, never in its receiver's")
        inbox_id = new_id()
        arrival = _Arrival(
            id=inbox_id,
            system=system,
            external_id=external_id,
            body_sealed=self._cipher.seal_bytes(body, (BODY_AT, inbox_id)),
            received_at=self._clock.now(),
            event=announce(inbox_id),
            request_id=current_request_id(),
            kept=asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(arrival)
        if self._keeping is None or self._keeping.done():
            # A task of its own: the sender who hangs up takes nobody else's message along.
            self._keeping = asyncio.create_task(self._keep_waiting())
        return await arrival.kept

    async def _keep_waiting(self) -> None:
        while self._waiting:
            together = self._next()
            try:
                await self._keep(together)
            except BaseException as error:
                # Also who waits still: nobody would answer them when this task ends, or they would meet the same.
                _answer_all([*together, *self._taken()], partial(_fail, error=error))
                if not isinstance(error, Exception):
                    raise

    def _next(self) -> list[_Arrival]:
        """Those at the front, as many as one statement may hold; always one."""
        size = count = 0
        for arrival in self._waiting[:_MOST]:
            size += len(arrival.body_sealed)
            if count and size > _MOST_BYTES:
                break
            count += 1
        together, self._waiting = self._waiting[:count], self._waiting[count:]
        return together

    def _taken(self) -> list[_Arrival]:
        left, self._waiting = self._waiting, []
        return left

    async def _keep(self, together: Sequence[_Arrival]) -> None:
        """Keep and answer all of them; one that cannot be kept, or was here before, is no fault of the others."""
        try:
            await _store(self._outbox, together)
        except Exception as error:
            if not _is_the_messages_own(error):
                raise
            for arrival in together:
                await self._keep_alone(arrival)
        else:
            _answer_all(together, _succeed)

    async def _keep_alone(self, arrival: _Arrival) -> None:
        try:
            await _store(self._outbox, [arrival])
        except Exception as error:
            if not _is_the_messages_own(error):
                raise
            known = InboxMessage.filter(system=arrival.system, external_id=arrival.external_id)
            if isinstance(error, IntegrityError) and await known.exists():
                _answer_all([arrival], lambda kept: kept.set_result(False))
            else:  # the message is not here, and must not be acknowledged
                _answer_all([arrival], partial(_fail, error=error))
        else:
            _answer_all([arrival], _succeed)


def _is_the_messages_own(error: Exception) -> bool:
    """Whether it is about what was to be kept: known before, or nothing that can be written; not about the database."""
    cause = error.args[0] if type(error) is OperationalError and error.args else error
    return isinstance(cause, IntegrityError | ValueError | TypeError | pymysql.err.DataError)


@transactional
async def _store(outbox: Outbox, together: Sequence[_Arrival]) -> None:
    marks = ", ".join("(?, ?, ?, ?, ?)" for _ in together)
    values: list[object] = []
    for each in together:
        values += [each.id, each.system, each.external_id, each.body_sealed, each.received_at]
    columns = "id, system, external_id, body_sealed, received_at"
    await execute(f"INSERT INTO kit_inbox ({columns}) VALUES {marks}", values)  # noqa: S608 - constants
    await outbox.publish_all([(each.event, each.request_id) for each in together])


def _answer_all(arrivals: Sequence[_Arrival], answer: Callable[["asyncio.Future[bool]"], None]) -> None:
    for each in arrivals:
        if not each.kept.done():  # its receiver may have been cancelled
            answer(each.kept)


def _succeed(kept: "asyncio.Future[bool]") -> None:
    kept.set_result(True)


def _fail(kept: "asyncio.Future[bool]", *, error: BaseException) -> None:
    kept.set_exception(error if isinstance(error, Exception) else ConnectionAbortedError("the process ends"))
