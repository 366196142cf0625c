"""Sessions: tokens that are stored only as hashes, and what a process may remember of live ones for 5 seconds."""

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from kit.db import execute, fetch_one
from kit.db.sql import as_utc
from kit.log import get_logger
from kit.web.access import Principal

REMEMBERED = timedelta(seconds=5)
"""How long a revoked session may live on in another process."""
WRITTEN_EVERY = timedelta(seconds=60)
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
log = get_logger("sessions")


def new_token() -> str:
    """Make a token of 256 bits, 43 characters of base64url."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Tell whether `text` has the form of a token, so that nothing else costs a query."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> str:
    """What is stored of a token: SHA-256 in hex; the token's own 256 bits make a salt needless."""
    return sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a session ends by itself: unused for `idle`, or `absolute` after it began.

    The last use is written at most once a minute, so idleness may be found up to a minute early, never late.
    """

    idle: timedelta
    absolute: timedelta

    def alive(self, *, now: datetime, last_used_at: datetime, expires_at: datetime) -> bool:
        return now < expires_at and now - last_used_at < self.idle


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    read_at: datetime
    ends_at: datetime


class LiveSessions:
    """One process's memory of sessions it has just read, and its writer of their last use."""

    def __init__(self, *, table: str, size: int = 20_000) -> None:
        """`table` has the columns `id` and `last_used_at`; `size` sessions are remembered, the oldest go first."""
        self._update = f"UPDATE {table} SET last_used_at = ? WHERE id = ? AND last_used_at <= ?"  # noqa: S608 - ours
        self._size = size
        self._known: OrderedDict[str, _Remembered] = OrderedDict()
        self._writing: dict[str, asyncio.Task[None]] = {}

    def recall(self, digest: str, *, now: datetime) -> Principal | None:
        """Whose session it is, if that was read in the last 5 seconds."""
        known = self._known.get(digest)
        if known is None:
            return None
        # A clock that was set back must not keep an entry alive.
        if not known.read_at <= now < min(known.read_at + REMEMBERED, known.ends_at):
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return known.principal

    def remember(self, digest: str, principal: Principal, *, now: datetime, expires_at: datetime) -> None:
        """Keep what was just read."""
        self._known[digest] = _Remembered(principal, now, expires_at)
        self._known.move_to_end(digest)
        if len(self._known) > self._size:
            self._known.popitem(last=False)

    def forget(self, *, session_id: str = "", owner_id: str = "") -> None:
        """Drop one session, or all of one owner; other processes follow within 5 seconds."""
        gone = [
            digest
            for digest, known in self._known.items()
            if known.principal.session_id == session_id or known.principal.id == owner_id
        ]
        for digest in gone:
            del self._known[digest]

    def used(self, session_id: str, *, now: datetime, last_used_at: datetime) -> None:
        """Write the last use in the background, at most once a minute; the request does not wait for it."""
        if now - last_used_at < WRITTEN_EVERY or session_id in self._writing:
            return
        task = asyncio.create_task(self._write(session_id, now))
        self._writing[session_id] = task
        task.add_done_callback(lambda _: self._writing.pop(session_id, None))

    async def settle(self) -> None:
        """Wait for the writes under way; before the database is closed."""
        while self._writing:
            await asyncio.wait(list(self._writing.values()))

    async def _write(self, session_id: str, now: datetime) -> None:
        try:
            await execute(self._update, [now, session_id, now - WRITTEN_EVERY])
        except Exception as error:
            # The session lives on; its next use is written instead.
            log.warning("last_use_not_written", exc_info=error)


async def authenticate(
    token: str,
    *,
    sql: str,
    principal: Callable[[dict[str, Any]], Principal],
    live: LiveSessions,
    lifetime: Lifetime,
    now: datetime,
    may_remember: Callable[[Principal], bool] = lambda _: True,
) -> Principal | None:
    """Whose live session `token` is; a session ended elsewhere is gone within 5 seconds.

    `sql` finds what nobody ended by a token's hash: `last_used_at`, `expires_at`, and what `principal` is made of.
    """
    if not is_token(token):
        return None
    digest = token_hash(token)
    remembered = live.recall(digest, now=now)
    if remembered is not None:
        return remembered
    row = await fetch_one(sql, [digest])
    if row is None:
        return None
    last_used_at, expires_at = as_utc(row["last_used_at"]), as_utc(row["expires_at"])
    if not lifetime.alive(now=now, last_used_at=last_used_at, expires_at=expires_at):
        return None
    found = principal(row)
    live.used(found.session_id, now=now, last_used_at=last_used_at)
    if may_remember(found):
        live.remember(digest, found, now=now, expires_at=min(expires_at, last_used_at + lifetime.idle))
    return found
