from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import execute, transactional
from kit.ids import new_id
from kit.sessions import new_token, token_hash
from server.staff import totp
from server.staff.errors import StaffSignInLocked, StaffSignInRefused
from server.staff.models import StaffMember, StaffSession, StaffSignInFailures, StaffState
from server.staff.ports import Needs
from server.staff.rules import LONGEST_USERNAME, Failures, after_failure, seconds_locked, username_key

_KEPT_AFTER_END = timedelta(days=7)
# An unknown account's code is compared too, against a secret that nobody has.
_NOBODYS_SECRET = totp.new_secret()


@dataclass(frozen=True, slots=True)
class Started:
    """A new session; the token is told this once and stored nowhere."""

    token: str = field(repr=False)
    session_id: str
    staff_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who somebody says they are, and how far that has been proven."""

    blind: str
    member_id: str | None
    step: int | None


async def start_session(needs: Needs, *, username: str, password: str, totp: str) -> Started:
    """Sign in with both factors; five failures in a row under one username lock it for 30 minutes.

    Errors: STAFF_SIGN_IN_REFUSED, the same and as slow for an unknown name, a wrong password and a wrong or used code;
    STAFF_SIGN_IN_LOCKED with Retry-After, also for names that do not exist.
    """
    key = username_key(username)
    blind = needs.cipher.blind(key, purpose="staff_username")
    _refuse_locked(await StaffSignInFailures.get_or_none(username_blind=blind), now=needs.clock.now())
    member = await _member(key)
    right = await needs.passwords.verify(member.password_hash if member else None, password)
    step = _step(needs, member, code=totp)
    claim = _Claim(blind, member.id if member and right else None, step)
    token = new_token()
    try:
        outcome = await _conclude(needs, claim=claim, token=token)
    except IntegrityError:
        # Two first failures under one name at once: the other has made the row.
        outcome = await _conclude(needs, claim=claim, token=token)
    if isinstance(outcome, Started):
        return outcome
    raise outcome


async def _member(key: str) -> StaffMember | None:
    # Spelt out, a name may be longer than any account's: it is unknown, like every other that nobody has.
    if len(key) > LONGEST_USERNAME:
        return None
    return await StaffMember.get_or_none(username_key=key, state=StaffState.ACTIVE)


def _refuse_locked(row: StaffSignInFailures | None, *, now: datetime) -> None:
    seconds = seconds_locked(_failures(row), now=now)
    if seconds:
        raise StaffSignInLocked(retry_after=seconds)


def _failures(row: StaffSignInFailures | None) -> Failures:
    return Failures(row.failures, row.last_at, row.locked_until) if row else Failures()


def _step(needs: Needs, member: StaffMember | None, *, code: str) -> int | None:
    secret = _NOBODYS_SECRET
    if member is not None:
        secret = needs.cipher.open(member.totp_secret_sealed, ("staff_member.totp_secret_sealed", member.id))
    return totp.matching_step(secret, code, now=needs.clock.now())


@transactional
async def _conclude(needs: Needs, *, claim: _Claim, token: str) -> Started | StaffSignInRefused | StaffSignInLocked:
    """One at a time per username, so that many guesses at once count as many; a refusal is kept, hence not raised."""
    now = needs.clock.now()
    row = await StaffSignInFailures.filter(username_blind=claim.blind).select_for_update().get_or_none()
    seconds = seconds_locked(_failures(row), now=now)
    if seconds:
        return StaffSignInLocked(retry_after=seconds)
    if claim.member_id is not None and claim.step is not None and await _take_step(claim.member_id, claim.step):
        if row is not None:
            await row.delete()
        return await _begin(needs, member_id=claim.member_id, token=token, now=now)
    await _count_failure(row, blind=claim.blind, now=now)
    details = {"username_blind": claim.blind}
    actor = Actor("staff", claim.member_id or "unknown")
    await record(
        actor=actor, action="staff.sign_in", subject=("staff", actor.id), result="refused", details=details, at=now
    )
    return StaffSignInRefused()


async def _take_step(member_id: str, step: int) -> bool:
    """Use a code's step up; False for one used before, or older than the last used."""
    taken = await execute(
        "UPDATE staff_member SET totp_last_step = ? WHERE id = ? AND totp_last_step < ? AND state = 'active'",
        [step, member_id, step],
    )
    return taken == 1


async def _count_failure(row: StaffSignInFailures | None, *, blind: str, now: datetime) -> None:
    counted = after_failure(_failures(row), now=now)
    if row is None:
        row = StaffSignInFailures(id=new_id(), username_blind=blind)
    row.failures, row.last_at, row.locked_until = counted.count, counted.last_at, counted.locked_until
    await row.save()


async def _begin(needs: Needs, *, member_id: str, token: str, now: datetime) -> Started:
    session_id = new_id()
    expires_at = now + needs.lifetime.absolute
    await StaffSession.create(
        id=session_id,
        token_hash=token_hash(token),
        member_id=member_id,
        last_used_at=now,
        expires_at=expires_at,
        created_at=now,
    )
    await record(
        actor=Actor("staff", member_id), action="staff.signed_in", subject=("staff_session", session_id), at=now
    )
    return Started(token, session_id, member_id, expires_at)


async def end_session(needs: Needs, *, staff_id: str, session_id: str) -> None:
    """Sign out; ending a session twice changes nothing."""
    await _end(needs, staff_id=staff_id, session_id=session_id)
    needs.live.forget(session_id=session_id)


@transactional
async def _end(needs: Needs, *, staff_id: str, session_id: str) -> None:
    now = needs.clock.now()
    ended = await execute(
        "UPDATE staff_session SET ended_at = ? WHERE id = ? AND member_id = ? AND ended_at IS NULL",
        [now, session_id, staff_id],
    )
    if ended:
        actor = Actor("staff", staff_id)
        await record(actor=actor, action="staff.signed_out", subject=("staff_session", session_id), at=now)


@transactional
async def forget_old_sessions(needs: Needs) -> int:
    """Delete sessions a week after their end and failure counts past their time; the audit trail keeps both."""
    before = needs.clock.now() - _KEPT_AFTER_END
    await execute("DELETE FROM staff_sign_in_failures WHERE last_at < ?", [before])
    return await execute("DELETE FROM staff_session WHERE expires_at < ?", [before])
