"""aiomysql's pool with a queue in place of its condition.

A task that is notified by an `asyncio.Condition` and cancelled in the same turn of the loop takes the notification
along (Python 3.11): the next one then waits though a connection is free. Nor does the pool notify anybody when a
connection comes back dead or in a transaction, and it connects under the lock that everybody needs. Here each who asks
stands in a queue and is handed a connection, or a place to make one; who leaves hands it on. Connections are looked
at when they are given out, and nothing is started for each that comes back: a request takes several.
"""

import asyncio
import contextlib
from collections import deque
from typing import Any

import aiomysql.pool
from aiomysql.connection import connect as connect  # noqa: PLC0414 - tests let it fail


class QueuePool(aiomysql.pool.Pool):  # type: ignore[misc]  # the driver has no types
    """First come, first served, whoever is cancelled and whatever dies meanwhile."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._queue: deque[asyncio.Future[Any]] = deque()
        self._moved = asyncio.Event()

    async def _acquire(self) -> Any:
        if self._closing:
            raise RuntimeError("Cannot acquire connection after closing pool")
        turn: asyncio.Future[Any] = self._loop.create_future()
        self._queue.append(turn)
        self._advance()
        try:
            connection = await turn
        except asyncio.CancelledError:
            self._leave(turn)
            raise
        return connection if connection is not None else await self._connect()

    def release(self, connection: Any) -> Any:
        """Take a connection back and give it, or the place of one that is of no use any more, to who is next."""
        done = self._loop.create_future()
        done.set_result(None)
        if connection in self._terminated:
            self._terminated.remove(connection)
            return done
        self._used.remove(connection)
        if connection.get_transaction_status():
            connection.close()
        if not connection.closed:
            self._free.append(connection)
        self._settle()
        return done

    async def wait_closed(self) -> None:
        """Wait until every connection is closed; those who were waiting for one are served first."""
        if not self._closing:
            raise RuntimeError(".wait_closed() should be called after .close()")
        self._settle()
        while self._used or self._acquiring:
            self._moved.clear()
            await self._moved.wait()
        self._closed = True

    def _advance(self) -> None:
        """Serve the queue as far as there are connections, or places for new ones."""
        while self._queue:
            if self._queue[0].done():  # cancelled, and about to leave
                self._queue.popleft()
                continue
            connection = self._living()
            if connection is not None:
                self._used.add(connection)
            elif not self.maxsize or self.size < self.maxsize:
                self._acquiring += 1
            else:
                return
            self._queue.popleft().set_result(connection)

    def _living(self) -> Any:
        """A free connection that is of use, the one that has rested longest; None when there is none."""
        while self._free:
            connection = self._free.popleft()
            if self._alive(connection):
                return connection
            connection.close()
        return None

    def _alive(self, connection: Any) -> bool:
        """As the driver judges it: not hung up by the server, and not older than it may be."""
        reader = connection._reader  # noqa: SLF001 - the driver's own pool looks there
        if reader.at_eof() or reader.exception() or reader.eof_received:
            return False
        return bool(self._recycle < 0 or self._loop.time() - connection.last_usage <= self._recycle)

    def _leave(self, turn: "asyncio.Future[Any]") -> None:
        """Cancelled in the queue, or in the very turn of the loop in which it was served."""
        if turn.cancelled():
            with contextlib.suppress(ValueError):
                self._queue.remove(turn)
            self._advance()
        elif (connection := turn.result()) is not None:
            self.release(connection)
        else:
            self._give_up_place()

    async def _connect(self) -> Any:
        """A new connection in the place that was given to the caller."""
        try:
            connection = await connect(echo=self._echo, loop=self._loop, **self._conn_kwargs)
        except BaseException:
            self._give_up_place()
            raise
        self._acquiring -= 1
        self._used.add(connection)
        return connection

    def _give_up_place(self) -> None:
        self._acquiring -= 1
        self._settle()

    def _settle(self) -> None:
        """Something came free: for who is next, or for the end of the pool."""
        self._advance()
        while self._closing and self._free:
            self._free.popleft().close()
        self._moved.set()


def apply() -> None:
    """Have the driver make this pool; safe to call more than once."""
    driver: Any = aiomysql.pool
    driver.Pool = QueuePool
