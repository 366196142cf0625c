"""The counter: who comes today, their passes, and days on which an office does not open."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Id, Input
from server.appointments import errors, queries, service
from server.appointments.queries import BookingView
from server.console.districts import scope_of
from server.identity import queries as residents
from server.journeys.house import House
from server.terms.open_words import public_reason

_EARLIEST, _LATEST = date(2020, 1, 1), date(2100, 1, 1)


class CounterDay(Page):
    """The appointments of an office on a day."""

    office: Id
    day: Annotated[date, Field(ge=_EARLIEST, le=_LATEST)]


class Visitor(Answer):
    """A person with a number: the name is masked, as the clerk compares it with the card that is shown."""

    id: str
    number: str | None
    name_masked: str | None
    office_id: str
    office_name: str
    business_type: str
    business_group: str
    business_group_text: str
    state: str
    state_text: str
    starts_at: str
    ends_at: str
    checked_in_at: str | None


class VisitorList(Answer):
    items: list[Visitor]
    next: str | None


class CheckInInput(Input):
    """`pass` is exactly what the QR code holds; `office_id` where the counter is: another's pass is not used up."""

    pass_text: Annotated[str, Field(alias="pass", min_length=1, max_length=128)]
    office_id: Id | None = None


class ClosureInput(Input):
    """The reason is what residents are told: a line with nobody's number in it."""

    day: Annotated[date, Field(ge=_EARLIEST, le=_LATEST)]
    reason: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(public_reason)]


class Closure(Answer):
    """`bookings`: confirmed appointments of that day, which are cancelled and told one after the other."""

    id: str
    office_id: str
    day: str
    reason: str
    bookings: int


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of the counter."""
    routes = Routes("staff_appointments", "/staff/v1", edge)
    _visitors(routes, house)
    _closures(routes, house)
    return routes.blueprint


def _visitors(routes: Routes, house: House) -> None:
    needs = house.appointments

    @routes.get(
        "/appointments",
        access=staff("appointment.read"),
        summary="Who comes to an office of my districts on a day, in the order of the slots",
        query=CounterDay,
        answer=VisitorList,
    )
    async def visitors(call: Call[CounterDay]) -> VisitorList:
        page = call.input
        found = await queries.of_day(
            needs, scope=scope_of(call), office_id=page.office, day=page.day, after=page.cursor, limit=page.wanted
        )
        shown, following = page.cut(found)
        return VisitorList(items=[await _visitor(house, each) for each in shown], next=following)

    @routes.post(
        "/appointments/check-in",
        access=staff("appointment.check_in"),
        summary="Take a pass in",
        body=CheckInInput,
        answer=Visitor,
        rate="120/minute",
        errors=(
            errors.PassUnknown,
            errors.WrongOffice,
            errors.CheckInTooEarly,
            errors.CheckInTooLate,
            errors.AppointmentUsed,
            errors.AppointmentCancelled,
        ),
    )
    async def check_in(call: Call[CheckInInput]) -> Visitor:
        scope, given = scope_of(call), call.input
        done = await call.once(
            lambda key: service.check_in(
                needs, staff_id=call.who.id, scope=scope, text=given.pass_text, office_id=given.office_id, key=key
            )
        )
        return await _visitor(house, await queries.for_staff(needs, scope=scope, booking_id=done))


def _closures(routes: Routes, house: House) -> None:
    needs = house.appointments

    @routes.post(
        "/offices/<office_id:str>/closures",
        access=staff("appointment.manage"),
        summary="Close an office for a day: no new appointments, those there are cancelled and told",
        body=ClosureInput,
        answer=Closure,
        status=201,
        errors=(errors.OfficeNotFound, errors.DayOver, errors.DayAlreadyClosed),
    )
    async def closure(call: Call[ClosureInput], office_id: str) -> Closure:
        scope, given = scope_of(call), call.input
        done = await call.once(
            lambda key: service.close_day(
                needs,
                staff_id=call.who.id,
                scope=scope,
                office_id=office_id,
                day=given.day,
                reason=given.reason,
                key=key,
            )
        )
        found = await queries.closure(needs, scope=scope, closure_id=done)
        return Closure(
            id=found.id,
            office_id=found.office_id,
            day=found.day.isoformat(),
            reason=found.reason,
            bookings=found.bookings,
        )


async def _visitor(house: House, view: BookingView) -> Visitor:
    office = await queries.office_of(house.appointments, office_id=view.office_id)
    group = office.plan.group(view.business_group)
    person = await residents.me(house.identity, resident_id=view.resident_id)
    return Visitor(
        id=view.id,
        number=view.number,
        name_masked=person.name_masked,
        office_id=office.id,
        office_name=office.name,
        business_type=view.business_type,
        business_group=view.business_group,
        business_group_text=group.name if group else "",
        state=view.state.value,
        state_text=view.state.text,
        starts_at=rfc3339(view.starts_at),
        ends_at=rfc3339(view.ends_at),
        checked_in_at=rfc3339(view.checked_in_at) if view.checked_in_at else None,
    )
