"""Roles and what they may do, what an account must look like, and when signing in is locked."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.staff.errors import invalid


class Role(StrEnum):
    """Who works on cases or money or runs the system, who keeps the accounts, who audits: three different people."""

    OFFICER = "officer"
    OPERATOR = "operator"
    CLERK = "clerk"
    FINANCE = "finance"
    AUDITOR = "auditor"
    ADMIN = "admin"


OWN_SESSION = "own.session"
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.OFFICER: frozenset({"case.read", "case.decide", "case.review", "case.enter", "case.notify"}),
    Role.OPERATOR: frozenset({"outbox.read", "outbox.replay", "templates.manage"}),
    Role.CLERK: frozenset(
        {"appointment.read", "appointment.check_in", "appointment.manage", "delivery.read", "delivery.dispatch"}
    ),
    Role.FINANCE: frozenset({"payments.read", "payments.reconcile", "payments.refund"}),
    Role.AUDITOR: frozenset({"audit.read"}),
    Role.ADMIN: frozenset({"staff.manage"}),
}
# 三权分立, GB/T 22239-2019 level 3: running, security and audit are apart, and who works holds none of the latter two.
_APART = (
    frozenset({Role.OPERATOR, Role.ADMIN}),
    frozenset({Role.OPERATOR, Role.AUDITOR}),
    frozenset({Role.ADMIN, Role.AUDITOR}),
    frozenset({Role.OFFICER, Role.ADMIN}),
    frozenset({Role.OFFICER, Role.AUDITOR}),
    frozenset({Role.CLERK, Role.ADMIN}),
    frozenset({Role.CLERK, Role.AUDITOR}),
    frozenset({Role.FINANCE, Role.ADMIN}),
    frozenset({Role.FINANCE, Role.AUDITOR}),
)

MOST_FAILURES = 5
LONGEST_USERNAME = 32
LOCKED_FOR = timedelta(minutes=30)
_SHORTEST_PASSWORD, _LONGEST_PASSWORD, _FEWEST_CLASSES = 12, 128, 3
_USERNAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{2,{LONGEST_USERNAME - 1}}}", re.ASCII)
_CLASSES = (str.islower, str.isupper, str.isdigit)


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """All that the roles together allow, and what everybody may: end their own session."""
    return frozenset({OWN_SESSION}).union(*(PERMISSIONS[Role(role)] for role in roles))


def username_key(username: str) -> str:
    """The spelling by which a username is found: case, width and outer spaces do not count."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def check_username(username: str) -> None:
    """3 to 32 letters, digits, dots, hyphens and underscores; STAFF_INVALID."""
    if not _USERNAME.fullmatch(username_key(username)):
        raise invalid("username", "USERNAME_INVALID", "用户名应为3至32位字母、数字、点、横线或下划线")


def check_password(password: str, *, username: str) -> None:
    """GB/T 22239-2019 8.1.4.1: complex enough, and not made of the username; STAFF_INVALID."""
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise invalid("password", "PASSWORD_LENGTH", "密码应为12至128位")
    found = sum(any(belongs(character) for character in password) for belongs in _CLASSES)
    found += any(not character.isalnum() for character in password)
    if found < _FEWEST_CLASSES:
        raise invalid("password", "PASSWORD_TOO_SIMPLE", "密码应包含大写字母、小写字母、数字、符号中的至少三种")
    if username_key(username) in username_key(password):
        raise invalid("password", "PASSWORD_HAS_USERNAME", "密码不能包含用户名")


def check_roles(roles: Iterable[str]) -> frozenset[Role]:
    """Known roles, at least one, and none that must be apart; STAFF_INVALID."""
    given = set(roles)
    if not given or not given <= set(Role):
        raise invalid("roles", "ROLE_UNKNOWN", "请选择角色：officer、operator、clerk、finance、auditor 或 admin")
    wanted = frozenset(Role(role) for role in given)
    if any(pair <= wanted for pair in _APART):
        raise invalid("roles", "ROLES_MUST_BE_APART", "系统运行、账号管理、审计和业务办理应由不同的人担任")
    return wanted


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed sign-ins in a row under one username, whether or not there is such an account."""

    count: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None


def seconds_locked(failures: Failures, *, now: datetime) -> int:
    """How long signing in is still refused; 0 when it is not."""
    if failures.locked_until is None or now >= failures.locked_until:
        return 0
    return int((failures.locked_until - now).total_seconds()) + 1


def after_failure(failures: Failures, *, now: datetime) -> Failures:
    """Count one more; failures more than 30 minutes old are forgotten, the fifth locks."""
    fresh = failures.last_at is not None and now - failures.last_at < LOCKED_FOR
    count = failures.count + 1 if fresh else 1
    if count >= MOST_FAILURES:
        return Failures(0, now, now + LOCKED_FOR)
    return Failures(count, now)
