from collections.abc import Mapping
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
    """Who a login code belongs to; `openid` is that person within the app `app_id`.

    `user_id` is the person's number at the wallet as a whole, which Alipay gives to older apps: where it gives no
    open id, it is the `openid` too.
    """

    wallet: str
    app_id: str
    openid: str = field(repr=False)
    union_id: str | None = field(repr=False, default=None)
    session_key: str | None = field(repr=False, default=None)
    user_id: str | None = field(repr=False, default=None)


class WalletLogin(Protocol):
    async def exchange(self, code: str) -> WalletIdentity:
        """Redeem a code; LOGIN_CODE_REJECTED, LOGIN_BLOCKED, or OutsideError when the wallet is down."""
        ...


@dataclass(frozen=True, slots=True)
class PhoneProof:
    """What the wallet's phone button gave the phone: WeChat a `code`, Alipay a sealed `response` with its `sign`."""

    code: str = field(repr=False, default="")
    response: str = field(repr=False, default="")
    sign: str = field(repr=False, default="")


class PhoneNumbers(Protocol):
    async def number(self, proof: PhoneProof, openid: str) -> str:
        """Redeem that person's proof; PHONE_CODE_REJECTED, or OutsideError when the wallet is down."""
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


@dataclass(frozen=True, slots=True)
class OpenedFace:
    """What the phone starts a check with: the wallet's id of it, and for Alipay the signed address of its page."""

    verify_id: str = field(repr=False)
    url: str | None = field(repr=False, default=None)


class FaceVerification(Protocol):
    async def open(self, *, number: str, subject: FaceSubject) -> OpenedFace:
        """Open a check under `number`, unique per app and used once."""
        ...

    async def outcome(self, *, number: str, verify_id: str, subject: FaceSubject) -> FaceOutcome:
        """How the check ended, from the wallet's server; OutsideError when it cannot tell now."""
        ...


@dataclass(frozen=True, slots=True)
class WalletDoor:
    """The three capabilities of one wallet by which a resident comes in."""

    login: WalletLogin
    phones: PhoneNumbers
    face: FaceVerification


LIFETIME = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


def _live() -> LiveSessions:
    return LiveSessions(table="identity_session")


@dataclass(frozen=True, slots=True)
class Needs:
    """What identity needs; one per process, since `live` is the process's memory of sessions.

    `wallets` has a door for every wallet's name ("wechat", "alipay"); one that is not configured refuses by itself.
    """

    clock: Clock
    cipher: Cipher
    outbox: Outbox
    wallets: Mapping[str, WalletDoor]
    lifetime: Lifetime = LIFETIME
    live: LiveSessions = field(default_factory=_live)
