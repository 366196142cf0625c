from collections.abc import Collection
from dataclasses import dataclass, field

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import execute, transactional
from kit.ids import new_id
from server.staff import totp
from server.staff.errors import StaffNotFound, StaffUsernameTaken, invalid
from server.staff.models import StaffMember, StaffState
from server.staff.ports import Needs
from server.staff.rules import check_password, check_roles, check_username, username_key
from server.terms.errors import TermError
from server.terms.person_name import PersonName
from server.terms.scope import Scope

COMMAND_LINE = Actor("system", "command_line")


@dataclass(frozen=True, slots=True)
class CreatedStaff:
    """A new account; `totp_uri` holds the secret of the second factor and is told this once."""

    id: str
    totp_uri: str = field(repr=False)


async def create(
    needs: Needs,
    *,
    username: str,
    name: str,
    password: str,
    roles: Collection[str],
    districts: Collection[str],
    by: Actor = COMMAND_LINE,
) -> CreatedStaff:
    """Make an account; `districts` are codes, or `*` alone for all. There are no default accounts.

    Errors: STAFF_INVALID (says which field), STAFF_USERNAME_TAKEN.
    """
    check_username(username)
    check_password(password, username=username)
    wanted = check_roles(roles)
    try:
        person, scope = PersonName.parse(name), Scope.parse(",".join(districts))
    except TermError as error:
        raise invalid("name" if error.code == "NAME_INVALID" else "districts", error.code, error.sentence) from None
    password_hash = await needs.passwords.hash(password)
    secret = totp.new_secret()
    member = _Account(username.strip(), person.text, password_hash, secret, ",".join(sorted(wanted)), str(scope))
    try:
        member_id = await _create(needs, account=member, by=by)
    except IntegrityError:
        raise StaffUsernameTaken from None
    return CreatedStaff(member_id, totp.uri(secret, username=member.username))


@dataclass(frozen=True, slots=True)
class _Account:
    username: str
    name: str = field(repr=False)
    password_hash: str = field(repr=False)
    secret: str = field(repr=False)
    roles: str
    districts: str


@transactional
async def _create(needs: Needs, *, account: _Account, by: Actor) -> str:
    now = needs.clock.now()
    member_id = new_id()
    await StaffMember.create(
        id=member_id,
        username=account.username,
        username_key=username_key(account.username),
        name_sealed=needs.cipher.seal(account.name, ("staff_member.name_sealed", member_id)),
        password_hash=account.password_hash,
        totp_secret_sealed=needs.cipher.seal(account.secret, ("staff_member.totp_secret_sealed", member_id)),
        totp_last_step=0,
        roles=account.roles,
        districts=account.districts,
        state=StaffState.ACTIVE,
        version=1,
        created_at=now,
        updated_at=now,
    )
    details = {"roles": account.roles, "districts": account.districts}
    await record(actor=by, action="staff.created", subject=("staff", member_id), details=details, at=now)
    return member_id


async def disable(needs: Needs, *, staff_id: str, by: Actor = COMMAND_LINE) -> None:
    """Close an account and end its sessions; elsewhere within 5 seconds. Error: STAFF_NOT_FOUND."""
    await _disable(needs, staff_id=staff_id, by=by)
    needs.live.forget(owner_id=staff_id)


@transactional
async def _disable(needs: Needs, *, staff_id: str, by: Actor) -> None:
    now = needs.clock.now()
    member = await StaffMember.filter(id=staff_id).select_for_update().get_or_none()
    if member is None:
        raise StaffNotFound
    member.state = StaffState.DISABLED
    member.version += 1
    member.updated_at = now
    await member.save(update_fields=["state", "version", "updated_at"])
    await execute(
        "UPDATE staff_session SET ended_at = ? WHERE member_id = ? AND ended_at IS NULL",
        [now, staff_id],
    )
    await record(actor=by, action="staff.disabled", subject=("staff", staff_id), at=now)
