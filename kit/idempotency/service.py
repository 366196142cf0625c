from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError

from kit.clock import Clock
from kit.db import execute, fetch_one, in_transaction, transactional
from kit.db.sql import as_utc
from kit.errors import Problem
from kit.idempotency.errors import IdempotencyKeyReused, StillRunning
from kit.idempotency.models import KeyState
from kit.ids import new_id

KEPT = timedelta(hours=24)
CLAIM_LASTS = timedelta(seconds=60)
"""A claim older than this belongs to a process that died: the next request takes it over under the same id."""


RETRY_SECONDS = 2
# `created_at` is the claim's token: it changes when the claim is taken over, and a slow claimant's writes then miss.
_OWN_CLAIM = "id = ? AND state = 'running' AND created_at = ?"


class _AlreadyDoneError(Exception):
    """Another request with the same key won, or took the claim over; rolls the losing command back."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Who asked for what under which key; `id` is stable over retries once claimed, for ids sent outside."""

    id: str
    who: str
    route: str
    key: str
    digest: str
    clock: Clock
    claimed: bool = False
    claimed_at: datetime | None = None

    async def settle(self, *, result_id: str, status: int) -> None:
        """Record the result in the command's own transaction."""
        if not in_transaction():
            raise RuntimeError("the result is recorded in the transaction of the command")
        if self.claimed:
            changed = await execute(
                f"UPDATE kit_idempotency_key SET state = 'done', result_id = ?, status = ? WHERE {_OWN_CLAIM}",  # noqa: S608 - constant
                [result_id, status, self.id, self.claimed_at],
            )
            if changed != 1:
                raise _AlreadyDoneError
            return
        try:
            await _insert(self, state=KeyState.DONE, result_id=result_id, status=status)
        except IntegrityError as error:
            raise _AlreadyDoneError from error


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the command made, and whether it was made by an earlier request."""

    result_id: str
    status: int
    replayed: bool


async def _insert(
    key: RequestKey, *, state: KeyState, result_id: str | None, status: int | None, at: datetime | None = None
) -> None:
    await execute(
        "INSERT INTO kit_idempotency_key (id, who, route, request_key, body_digest, state, result_id, status, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [key.id, key.who, key.route, key.key, key.digest, state.value, result_id, status, at or key.clock.now()],
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    id: str
    digest: str
    state: str
    result_id: str | None
    status: int | None
    created_at: datetime


async def _find(key: RequestKey) -> _Stored | None:
    row = await fetch_one(
        "SELECT id, body_digest AS digest, state, result_id, status, created_at FROM kit_idempotency_key "
        "WHERE who = ? AND route = ? AND request_key = ?",
        [key.who, key.route, key.key],
    )
    return _Stored(**{**row, "created_at": as_utc(row["created_at"])}) if row else None


def _replay(stored: _Stored, key: RequestKey) -> Outcome | None:
    if stored.digest != key.digest:
        raise IdempotencyKeyReused
    if stored.state == KeyState.DONE and stored.result_id is not None and stored.status is not None:
        return Outcome(stored.result_id, stored.status, replayed=True)
    if key.clock.now() - stored.created_at < CLAIM_LASTS:
        raise StillRunning(retry_after=RETRY_SECONDS)
    return None


async def _earlier(key: RequestKey) -> tuple[_Stored | None, Outcome | None]:
    """The row of a request with this key, and its outcome if it came to one."""
    stored = await _find(key)
    return stored, None if stored is None else _replay(stored, key)


@transactional
async def _claim(key: RequestKey) -> None:
    await _insert(key, state=KeyState.RUNNING, result_id=None, status=None, at=key.claimed_at)


async def _take_over(stored: _Stored, key: RequestKey) -> RequestKey:
    """Renew a dead process's claim; the conditional update lets one taker through."""
    taken = replace(key, id=stored.id, claimed=True, claimed_at=key.clock.now())
    changed = await execute(
        "UPDATE kit_idempotency_key SET created_at = ? WHERE id = ? AND state = 'running' AND created_at = ?",
        [taken.claimed_at, stored.id, stored.created_at],
    )
    if changed != 1:
        raise StillRunning(retry_after=RETRY_SECONDS)
    return taken


async def _claimed(key: RequestKey, stored: _Stored | None) -> RequestKey:
    if stored is not None:
        return await _take_over(stored, key)
    claim = replace(key, claimed=True, claimed_at=key.clock.now())
    try:
        await _claim(claim)
    except IntegrityError as error:
        raise StillRunning(retry_after=RETRY_SECONDS) from error
    return claim


async def once(
    key: RequestKey,
    command: Callable[[RequestKey], Awaitable[str]],
    *,
    status: int,
    calls_outside: bool = False,
) -> Outcome:
    """Carry `command` out unless its key was used before; it answers the id of what it made and settles the key.

    With `calls_outside` a claim is committed first, so that two requests never call outside at the same time and a
    retry after a crash carries the same id. Errors: IDEMPOTENCY_KEY_REUSED, STILL_RUNNING.
    """
    stored, outcome = await _earlier(key)
    if outcome is not None:
        return outcome
    if calls_outside:
        return await _under_claim(await _claimed(key, stored), command, status)
    try:
        return Outcome(await command(key), status, replayed=False)
    except Exception:
        # The same request may have won meanwhile: then its answer counts, and not that the state it left refuses us.
        _, outcome = await _earlier(key)
        if outcome is None:
            raise
        return outcome


async def _under_claim(key: RequestKey, command: Callable[[RequestKey], Awaitable[str]], status: int) -> Outcome:
    try:
        return Outcome(await command(key), status, replayed=False)
    except _AlreadyDoneError:
        _, outcome = await _earlier(key)
        if outcome is None:
            raise StillRunning(retry_after=RETRY_SECONDS) from None
        return outcome
    except Problem:
        await _release(key)
        raise
    except BaseException:
        await _abandon(key)
        raise


async def _release(key: RequestKey) -> None:
    """A refused command leaves no claim behind, so that it can be asked again."""
    await execute(f"DELETE FROM kit_idempotency_key WHERE {_OWN_CLAIM}", [key.id, key.claimed_at])  # noqa: S608 - constant


async def _abandon(key: RequestKey) -> None:
    """What became of the call outside is unknown: the next request goes on at once, under the same id."""
    await execute(
        f"UPDATE kit_idempotency_key SET created_at = ? WHERE {_OWN_CLAIM}",  # noqa: S608 - constant
        [key.clock.now() - CLAIM_LASTS, key.id, key.claimed_at],
    )


def new_key(*, who: str, route: str, key: str, digest: str, clock: Clock) -> RequestKey:
    """A key as it arrives at the edge."""
    return RequestKey(new_id(), who, route, key, digest, clock)


async def forget_old(*, now: datetime) -> int:
    """Delete keys past their 24 hours."""
    return await execute("DELETE FROM kit_idempotency_key WHERE created_at < ?", [now - KEPT])
