"""A resident's appointments at the counter: hold, confirm, cancel, and the pass to show there."""

import asyncio
from typing import Annotated

from pydantic import Field
from sanic import Blueprint, HTTPResponse

from kit.clock import rfc3339
from kit.qr import qr_png
from kit.web.access import resident
from kit.web.downloads import download
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty, Id, Input
from server.appointments import errors, queries, service
from server.appointments.queries import BookingView
from server.identity.rules import Level
from server.journeys.house import House

_REAL_NAME = resident(Level.REAL_NAME)


class AppointmentInput(Input):
    """A slot of an office, and what it is for."""

    slot_id: Id
    business_type: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,31}$")]


class AppointmentOffice(Answer):
    id: str
    name: str
    address: str
    phone: str
    map_hint: str


class Appointment(Answer):
    """`hold_until`: confirm before then; `number` is called out at the office, the pass is shown to the clerk."""

    id: str
    state: str
    state_text: str
    office: AppointmentOffice
    slot_id: str
    business_type: str
    business_group: str
    business_group_text: str
    starts_at: str
    ends_at: str
    hold_until: str | None
    number: str | None
    note: str
    version: int


class AppointmentList(Answer):
    items: list[Appointment]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of appointments."""
    routes = Routes("appointments", "/api/v1/appointments", edge)
    _holding(routes, house)
    _settling(routes, house)
    _reading(routes, house)
    return routes.blueprint


def _holding(routes: Routes, house: House) -> None:
    needs = house.appointments

    @routes.post(
        "",
        access=_REAL_NAME,
        summary="Hold a place for five minutes",
        body=AppointmentInput,
        answer=Appointment,
        status=201,
        rate="20/minute",
        errors=(
            errors.SlotNotFound,
            errors.BusinessNotOffered,
            errors.SlotPast,
            errors.DayClosed,
            errors.SlotFull,
            errors.AlreadyBooked,
        ),
    )
    async def hold(call: Call[AppointmentInput]) -> Appointment:
        wanted = call.input
        booking_id = await call.once(
            lambda key: service.hold(
                needs, resident_id=call.who.id, slot_id=wanted.slot_id, business_type=wanted.business_type, key=key
            )
        )
        return await _shown(house, call.who.id, booking_id)


def _settling(routes: Routes, house: House) -> None:
    needs = house.appointments

    @routes.post(
        "/<booking_id:str>/confirmation",
        access=_REAL_NAME,
        summary="Confirm what is held",
        body=Empty,
        answer=Appointment,
        rate="30/minute",
        errors=(
            errors.AppointmentNotFound,
            errors.HoldExpired,
            errors.AlreadyConfirmedAppointment,
            errors.AppointmentCancelled,
            errors.SlotPast,
            errors.DayClosed,
        ),
    )
    async def confirmation(call: Call[Empty], booking_id: str) -> Appointment:
        done = await call.once(
            lambda key: service.confirm(needs, booking_id=booking_id, resident_id=call.who.id, key=key)
        )
        return await _shown(house, call.who.id, done)

    @routes.post(
        "/<booking_id:str>/cancellation",
        access=_REAL_NAME,
        summary="Give the place back",
        body=Empty,
        answer=Appointment,
        rate="30/minute",
        errors=(
            errors.AppointmentNotFound,
            errors.AppointmentCancelled,
            errors.AppointmentUsed,
            errors.AppointmentOver,
            errors.HoldExpired,
        ),
    )
    async def cancellation(call: Call[Empty], booking_id: str) -> Appointment:
        done = await call.once(
            lambda key: service.cancel(needs, booking_id=booking_id, resident_id=call.who.id, key=key)
        )
        return await _shown(house, call.who.id, done)


def _reading(routes: Routes, house: House) -> None:
    needs = house.appointments

    @routes.get(
        "",
        access=_REAL_NAME,
        summary="My appointments, newest first",
        query=Page,
        answer=AppointmentList,
    )
    async def my_appointments(call: Call[Page]) -> AppointmentList:
        page = call.input
        found = await queries.bookings(needs, resident_id=call.who.id, before=page.cursor, limit=page.wanted)
        shown, following = page.cut(found)
        return AppointmentList(items=[await _present(house, each) for each in shown], next=following)

    @routes.get(
        "/<booking_id:str>",
        access=_REAL_NAME,
        summary="One of my appointments",
        answer=Appointment,
        errors=(errors.AppointmentNotFound,),
    )
    async def my_appointment(call: Call[None], booking_id: str) -> Appointment:
        return await _shown(house, call.who.id, booking_id)

    @routes.get(
        "/<booking_id:str>/pass",
        access=_REAL_NAME,
        summary="The QR code to show at the counter; it holds a random text and nothing else",
        media_type="image/png",
        rate="60/minute",
        errors=(errors.AppointmentNotFound, errors.PassNotReady),
    )
    async def my_pass(call: Call[None], booking_id: str) -> HTTPResponse:
        text = await queries.pass_text(needs, booking_id=booking_id, resident_id=call.who.id)
        return download(await asyncio.to_thread(qr_png, text), "image/png", name=booking_id)


async def _shown(house: House, resident_id: str, booking_id: str) -> Appointment:
    return await _present(
        house, await queries.booking(house.appointments, booking_id=booking_id, resident_id=resident_id)
    )


async def _present(house: House, view: BookingView) -> Appointment:
    office = await queries.office_of(house.appointments, office_id=view.office_id)
    group = office.plan.group(view.business_group)
    return Appointment(
        id=view.id,
        state=view.state.value,
        state_text=view.state.text,
        office=AppointmentOffice(
            id=office.id, name=office.name, address=office.address, phone=office.phone, map_hint=office.map_hint
        ),
        slot_id=view.slot_id,
        business_type=view.business_type,
        business_group=view.business_group,
        business_group_text=group.name if group else "",
        starts_at=rfc3339(view.starts_at),
        ends_at=rfc3339(view.ends_at),
        hold_until=rfc3339(view.hold_until) if view.hold_until else None,
        number=view.number,
        note=view.ended_reason,
        version=view.version,
    )
