from dataclasses import dataclass, field
from typing import Any

from kit import sessions
from kit.db import fetch_one
from kit.web.access import Principal
from server.staff.errors import StaffNotFound
from server.staff.ports import Needs
from server.staff.rules import permissions_of, username_key
from server.terms.scope import Scope

_SESSION = """
SELECT s.id, s.member_id, s.last_used_at, s.expires_at, m.roles, m.districts
FROM staff_session s JOIN staff_member m ON m.id = s.member_id
WHERE s.token_hash = ? AND s.ended_at IS NULL AND m.state = 'active'
"""


async def authenticate(needs: Needs, *, token: str) -> Principal | None:
    """Whose live session `token` is; a session ended elsewhere is gone within 5 seconds."""
    return await sessions.authenticate(
        token,
        sql=_SESSION,
        principal=_principal,
        live=needs.live,
        lifetime=needs.lifetime,
        now=needs.clock.now(),
    )


def _principal(row: dict[str, Any]) -> Principal:
    return Principal(
        "staff",
        id=row["member_id"],
        session_id=row["id"],
        permissions=permissions_of(row["roles"].split(",")),
        districts=Scope.parse(row["districts"]).districts,
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff; `districts` holds `*` alone for all."""

    id: str
    name: str = field(repr=False)
    roles: tuple[str, ...]
    districts: tuple[str, ...]


async def id_of(needs: Needs, *, username: str) -> str:
    """The account of that name, in any spelling that signs in; raises STAFF_NOT_FOUND."""
    row = await fetch_one("SELECT id FROM staff_member WHERE username_key = ?", [username_key(username)])
    if row is None:
        raise StaffNotFound
    return str(row["id"])


async def member(needs: Needs, *, staff_id: str) -> Member:
    """Raises STAFF_NOT_FOUND."""
    row = await fetch_one("SELECT id, name_sealed, roles, districts FROM staff_member WHERE id = ?", [staff_id])
    if row is None:
        raise StaffNotFound
    name = needs.cipher.open(row["name_sealed"], ("staff_member.name_sealed", row["id"]))
    return Member(row["id"], name, tuple(row["roles"].split(",")), tuple(row["districts"].split(",")))
