"""Who may call a route: each is declared with exactly one of public, resident, staff, callback."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from sanic import Request

Who = Literal["public", "resident", "staff", "callback"]


@dataclass(frozen=True, slots=True)
class Access:
    """A route's declaration; the edge checks level and permission, services consume what is single-use."""

    who: Who
    reason: str = ""
    level: int = 0
    action: str | None = None
    permission: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a resident with a level, a member of staff with permissions and districts, or nobody known.

    `wallet` is the one the resident's session was started with.
    """

    who: Who
    id: str = ""
    session_id: str = ""
    level: int = 0
    permissions: frozenset[str] = frozenset()
    districts: frozenset[str] | None = frozenset()
    wallet: str = ""


Authenticator = Callable[[Request], Awaitable[Principal | None]]
"""Answers whose session a request carries; None when it carries none or a dead one."""


def public(reason: str) -> Access:
    """Anyone may call; `reason` says why that is right."""
    if not reason:
        raise ValueError("a public route needs a reason")
    return Access("public", reason=reason)


def resident(level: int, action: str | None = None) -> Access:
    """A resident of at least `level`; `action` names the face check that the service will consume."""
    return Access("resident", level=level, action=action)


def staff(permission: str) -> Access:
    """A member of staff who holds `permission`."""
    return Access("staff", permission=permission)


def callback(system: str) -> Access:
    """An outside system, which proves itself by its signature over the raw body."""
    return Access("callback", system=system)
