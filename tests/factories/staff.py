"""Members of staff with a phone that makes their codes; passwords are hashed cheaply."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime

import pyotp
from argon2 import PasswordHasher

from kit.clock import FixedClock
from server.staff import service
from server.staff.passwords import Passwords
from server.staff.ports import Needs
from tests.factories.identity import cipher

PASSWORD = "Correct-horse-7"
_counter = itertools.count(1)


def needs(*, clock: FixedClock | None = None) -> Needs:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    moment = clock or FixedClock(datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    return Needs(clock=moment, cipher=cipher(), passwords=Passwords(cheap))


@dataclass(frozen=True)
class MadeStaff:
    """An account; `token` is empty unless signed in."""

    id: str
    username: str
    secret: str
    token: str = ""
    session_id: str = ""


async def member(
    wants: Needs,
    *,
    username: str | None = None,
    roles: tuple[str, ...] = ("officer",),
    districts: tuple[str, ...] = ("320114",),
    signed_in: bool = False,
) -> MadeStaff:
    """Trait: `signed_in` uses up the code of this half minute."""
    username = username or f"officer.{next(_counter)}"
    created = await service.create(
        wants, username=username, name="李建国", password=PASSWORD, roles=roles, districts=districts
    )
    made = MadeStaff(created.id, username, pyotp.parse_uri(created.totp_uri).secret)
    if not signed_in:
        return made
    started = await sign_in(wants, made)
    return MadeStaff(made.id, username, made.secret, started.token, started.session_id)


async def sign_in(
    wants: Needs, made: MadeStaff, *, username: str | None = None, password: str = PASSWORD, totp: str | None = None
) -> service.Started:
    """Sign in as the member would, with this half minute's code."""
    return await service.start_session(
        wants, username=username or made.username, password=password, totp=code(wants, made) if totp is None else totp
    )


def code(wants: Needs, made: MadeStaff, *, seconds: int = 0) -> str:
    """What the member's authenticator shows `seconds` from now."""
    return pyotp.TOTP(made.secret).at(int(wants.clock.now().timestamp()) + seconds)
