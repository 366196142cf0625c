"""aiomysql's pool without what it does for nobody.

For each connection that is taken it looks at every free one under a lock, and for each that comes back it starts a
task to wake who waits, though mostly nobody does. A request takes several connections one after the other, so that
this was a tenth of what a booking costs. Where somebody waits, the pool's own way is kept, first come first served.
`tests/kit/db/test_pool.py` holds both to the same behaviour.
"""

from typing import Any

from aiomysql.pool import Pool

_acquire_slowly = Pool._acquire  # noqa: SLF001 - this module exists to reach inside
_release_loudly = Pool.release


async def _acquire(self: Any) -> Any:
    """A free connection that is alive; the pool's own way when there is none, or others wait already."""
    if not self._closing and not _awaited(self):
        while self._free:
            connection = self._free.popleft()
            if _alive(self, connection):
                self._used.add(connection)
                return connection
            connection.close()
    return await _acquire_slowly(self)


def _release(self: Any, connection: Any) -> Any:
    """Put a sound connection back without waking anybody, where nobody waits."""
    plain = connection in self._used and not connection.closed and not connection.get_transaction_status()
    if not plain or self._closing or _awaited(self):
        return _release_loudly(self, connection)
    self._used.remove(connection)
    self._free.append(connection)
    done = self._loop.create_future()
    done.set_result(None)
    return done


def _awaited(pool: Any) -> bool:
    return bool(pool._cond._waiters) or pool._cond.locked()  # noqa: SLF001 - the same


def _alive(pool: Any, connection: Any) -> bool:
    """As the pool judges it: not hung up by the server, and not older than it may be."""
    reader = connection._reader  # noqa: SLF001 - the same
    if reader.at_eof() or reader.exception() or reader.eof_received:
        return False
    return bool(pool._recycle < 0 or pool._loop.time() - connection.last_usage <= pool._recycle)  # noqa: SLF001 - the same


def apply() -> None:
    """Put both in place; safe to call more than once."""
    driver: Any = Pool
    driver._acquire = _acquire  # noqa: SLF001 - the same
    driver.release = _release
