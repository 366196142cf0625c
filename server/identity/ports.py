from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.outbox import Outbox
from kit.sessions import Lifetime, LiveSessions
from server.identity.rules import FaceFailure


@dataclass(frozen=True, slots=True)
class WalletIdentity:
    """Who a login code belongs to; `openid` is that person within the app `app_id`."""

    wallet: str
    app_id: str
    openid: str = field(repr=False)
    union_id: str | None = field(repr=False, default=None)
    session_key: str | None = field(repr=False, default=None)


class WalletLogin(Protocol):
    async def exchange(self, code: str) -> WalletIdentity:
        """Redeem a code; LOGIN_CODE_REJECTED, LOGIN_BLOCKED, or OutsideError when the wallet is down."""
        ...


class PhoneNumbers(Protocol):
    async def number(self, code: str, openid: str) -> str:
        """Redeem a phone code of that person; PHONE_CODE_REJECTED, or OutsideError when the wallet is down."""
        ...


@dataclass(frozen=True, slots=True)
class FaceSubject:
    """Whose face is compared: the holder of the wallet account and of the resident identity card."""

    openid: str = field(repr=False)
    name: str = field(repr=False)
    id_number: str = field(repr=False)


class FaceResult(Enum):
    """`pending`: the wallet has decided nothing yet, so the check stays open."""

    PASSED = auto()
    FAILED = auto()
    PENDING = auto()


@dataclass(frozen=True, slots=True)
class FaceOutcome:
    """What the wallet says; `code` is its own code, for operators."""

    result: FaceResult
    code: str
    failure: FaceFailure | None = None


class FaceVerification(Protocol):
    async def open(self, *, number: str, subject: FaceSubject) -> str:
        """Open a check under `number`, unique per app and used once; answers the id that the phone starts it with."""
        ...

    async def outcome(self, *, number: str, verify_id: str, subject: FaceSubject) -> FaceOutcome:
        """How the check ended, from the wallet's server; OutsideError when it cannot tell now."""
        ...


LIFETIME = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


def _live() -> LiveSessions:
    return LiveSessions(table="identity_session")


@dataclass(frozen=True, slots=True)
class Needs:
    """What identity needs; one per process, since `live` is the process's memory of sessions.

    `wallet` names the one that `login`, `phones` and `face` belong to.
    """

    clock: Clock
    cipher: Cipher
    outbox: Outbox
    login: WalletLogin
    phones: PhoneNumbers
    face: FaceVerification
    wallet: str = "wechat"
    lifetime: Lifetime = LIFETIME
    live: LiveSessions = field(default_factory=_live)
