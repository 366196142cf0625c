"""Signing in and out of the staff side."""

from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import public, staff
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from server.journeys.house import House
from server.staff import queries, service
from server.staff.errors import StaffSignInLocked, StaffSignInRefused
from server.staff.rules import OWN_SESSION


class SignInInput(Input):
    """`totp` is the six digits that the authenticator shows, each good once."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=128)]
    totp: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class StaffMember(Answer):
    """`districts` holds `*` alone for every district."""

    id: str
    name: str
    roles: list[str]
    districts: list[str]


class StaffSession(Answer):
    """`token` goes into `Authorization: Bearer` and is told only here."""

    token: str
    expires_at: str
    staff: StaffMember


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of staff sessions."""
    routes = Routes("staff_sessions", "/staff/v1/sessions", edge)
    needs = house.staff

    @routes.post(
        "",
        access=public("signing in is how a session begins; both factors and a lockout guard it"),
        summary="Sign in",
        body=SignInInput,
        answer=StaffSession,
        status=201,
        keyed=False,
        rate="30/minute",
        errors=(StaffSignInRefused, StaffSignInLocked),
    )
    async def sign_in(call: Call[SignInInput]) -> StaffSession:
        given = call.input
        started = await service.start_session(needs, username=given.username, password=given.password, totp=given.totp)
        member = await queries.member(needs, staff_id=started.staff_id)
        shown = StaffMember(id=member.id, name=member.name, roles=list(member.roles), districts=list(member.districts))
        return StaffSession(token=started.token, expires_at=rfc3339(started.expires_at), staff=shown)

    @routes.delete("/current", access=staff(OWN_SESSION), summary="Sign out")
    async def sign_out(call: Call[None]) -> None:
        await service.end_session(needs, staff_id=call.who.id, session_id=call.who.session_id)

    return routes.blueprint
