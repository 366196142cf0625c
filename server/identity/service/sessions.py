from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import execute, transactional
from kit.ids import new_id
from kit.sessions import new_token, token_hash
from server.identity import sealed
from server.identity.models import Resident, ResidentSession, WalletAccount
from server.identity.ports import Needs, WalletIdentity
from server.identity.rules import Level

_KEPT_AFTER_END = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Started:
    """A new session; the token is told this once and stored nowhere."""

    token: str = field(repr=False)
    session_id: str
    resident_id: str
    expires_at: datetime


async def start_session(needs: Needs, *, wallet: str, code: str) -> Started:
    """Redeem a login code of `wallet`; the first login makes the resident.

    Errors: LOGIN_CODE_REJECTED, LOGIN_BLOCKED, OutsideError.
    """
    identity = await needs.wallets[wallet].login.exchange(code)
    token = new_token()
    try:
        return await _start(needs, identity=identity, token=token)
    except IntegrityError:
        # Another phone's first login with the same account was faster: its resident is there now.
        return await _start(needs, identity=identity, token=token)


@transactional
async def _start(needs: Needs, *, identity: WalletIdentity, token: str) -> Started:
    now = needs.clock.now()
    account = await _account(needs, identity=identity, now=now)
    session_id = new_id()
    expires_at = now + needs.lifetime.absolute
    await ResidentSession.create(
        id=session_id,
        token_hash=token_hash(token),
        resident_id=account.resident_id,
        account_id=account.id,
        wallet=account.wallet,
        last_used_at=now,
        expires_at=expires_at,
        created_at=now,
    )
    await record(
        actor=Actor("resident", account.resident_id),
        action="identity.signed_in",
        subject=("session", session_id),
        details={"wallet": account.wallet},
        at=now,
    )
    return Started(token, session_id, account.resident_id, expires_at)


async def _account(needs: Needs, *, identity: WalletIdentity, now: datetime) -> WalletAccount:
    blind = needs.cipher.blind(identity.openid, purpose=sealed.OPENID)
    account = await _known_account(needs, identity=identity, blind=blind)
    if account is None:
        return await _new_account(needs, identity=identity, blind=blind, now=now)
    account.last_login_at = now
    if account.openid_blind != blind:
        account.openid_sealed = needs.cipher.seal(identity.openid, sealed.account("openid_sealed", account.id))
        account.openid_blind = blind
    for column, text in _kept(identity).items():
        setattr(account, column, _sealed(needs, column, account.id, text))
    await account.save(update_fields=["last_login_at", "openid_sealed", "openid_blind", *_kept(identity)])
    return account


async def _known_account(needs: Needs, *, identity: WalletIdentity, blind: str) -> WalletAccount | None:
    """By the open id, else by the user id it was kept under before the wallet gave this app open ids."""
    accounts = WalletAccount.filter(wallet=identity.wallet, app_id=identity.app_id)
    account = await accounts.filter(openid_blind=blind).select_for_update().get_or_none()
    if account is not None or identity.user_id is None:
        return account
    former = needs.cipher.blind(identity.user_id, purpose=sealed.OPENID)
    return await accounts.filter(openid_blind=former).select_for_update().get_or_none()


def _kept(identity: WalletIdentity) -> dict[str, str | None]:
    """The columns that each login tells anew."""
    return {
        "union_id_sealed": identity.union_id,
        "user_id_sealed": identity.user_id,
        "session_key_sealed": identity.session_key,
    }


async def _new_account(needs: Needs, *, identity: WalletIdentity, blind: str, now: datetime) -> WalletAccount:
    resident = await Resident.create(id=new_id(), level=Level.WALLET, version=1, created_at=now, updated_at=now)
    account_id = new_id()
    return await WalletAccount.create(
        id=account_id,
        resident_id=resident.id,
        wallet=identity.wallet,
        app_id=identity.app_id,
        openid_sealed=_sealed(needs, "openid_sealed", account_id, identity.openid),
        openid_blind=blind,
        union_id_sealed=_sealed(needs, "union_id_sealed", account_id, identity.union_id),
        user_id_sealed=_sealed(needs, "user_id_sealed", account_id, identity.user_id),
        session_key_sealed=_sealed(needs, "session_key_sealed", account_id, identity.session_key),
        last_login_at=now,
        created_at=now,
    )


def _sealed(needs: Needs, column: str, account_id: str, text: str | None) -> str | None:
    return None if text is None else needs.cipher.seal(text, sealed.account(column, account_id))


async def end_session(needs: Needs, *, resident_id: str, session_id: str) -> None:
    """Sign out; ending a session twice changes nothing."""
    await _end(needs, resident_id=resident_id, session_id=session_id)
    needs.live.forget(session_id=session_id)


@transactional
async def _end(needs: Needs, *, resident_id: str, session_id: str) -> None:
    now = needs.clock.now()
    ended = await execute(
        "UPDATE identity_session SET ended_at = ? WHERE id = ? AND resident_id = ? AND ended_at IS NULL",
        [now, session_id, resident_id],
    )
    if ended:
        actor = Actor("resident", resident_id)
        await record(actor=actor, action="identity.signed_out", subject=("session", session_id), at=now)


@transactional
async def forget_old_sessions(needs: Needs) -> int:
    """Delete sessions a week after their end; who signed in when stays in the audit trail."""
    before = needs.clock.now() - _KEPT_AFTER_END
    return await execute("DELETE FROM identity_session WHERE expires_at < ?", [before])
