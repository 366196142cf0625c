from dataclasses import dataclass, field
from datetime import timedelta

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.sessions import Lifetime, LiveSessions
from server.staff.passwords import Passwords

LIFETIME = Lifetime(idle=timedelta(minutes=15), absolute=timedelta(hours=10))


def _live() -> LiveSessions:
    return LiveSessions(table="staff_session", size=2_000)


@dataclass(frozen=True, slots=True)
class Needs:
    """What staff needs; one per process, since `live` is the process's memory of sessions."""

    clock: Clock
    cipher: Cipher
    passwords: Passwords = field(default_factory=Passwords)
    lifetime: Lifetime = LIFETIME
    live: LiveSessions = field(default_factory=_live)
