"""Applications: open, read, edit, submit, take back."""

from collections.abc import Sequence
from typing import Any

from sanic import Blueprint

from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.errors import VersionMissing, VersionStale
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty
from miniprogram_api.application_input import ApplicationEdit, ApplicationInput
from miniprogram_api.application_schema import Application, Sharing, present
from server.applications import errors, queries, service
from server.applications.records import ApplicationRecord
from server.catalogue.errors import BusinessUnknown
from server.identity.rules import Level
from server.journeys import evidencing, filing
from server.journeys.house import House
from server.relay.errors import UnitNotFound


class ApplicationList(Answer):
    items: list[Application]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of applications."""
    routes = Routes("applications", "/api/v1/applications", edge)
    _opening(routes, house)
    _reading(routes, house)
    _commands(routes, house)
    return routes.blueprint


def _opening(routes: Routes, house: House) -> None:
    """A draft: opened, and edited."""
    needs = house.applications
    real_name = resident(Level.REAL_NAME)

    @routes.post(
        "",
        access=real_name,
        summary="Open an application",
        body=ApplicationInput,
        answer=Application,
        status=201,
        rate="20/minute",
        errors=(
            BusinessUnknown,
            UnitNotFound,
            errors.OpenerNotAParty,
            errors.OwnersDiffer,
            errors.PartiesIncomplete,
            errors.PartyRepeated,
            errors.PartyNameDiffers,
            errors.SharesNotWhole,
        ),
    )
    async def open_application(call: Call[ApplicationInput]) -> Application:
        wish = call.input.wish()
        made = await call.once(lambda key: filing.open_application(house, resident_id=call.who.id, wish=wish, key=key))
        return await shown(house, call, made)

    @routes.patch(
        "/<application_id:str>",
        access=real_name,
        summary="Edit a draft",
        body=ApplicationEdit,
        answer=Application,
        errors=(errors.ApplicationNotFound, errors.NotEditable, VersionMissing, VersionStale),
    )
    async def edit_application(call: Call[ApplicationEdit], application_id: str) -> Application:
        await service.change(
            needs,
            application_id=application_id,
            resident_id=call.who.id,
            version=call.if_match(),
            price_fen=call.input.price_fen,
            sole_home_over_five_years=call.input.sole_home_over_five_years,
        )
        return await shown(house, call, application_id)


def _reading(routes: Routes, house: House) -> None:
    needs = house.applications
    real_name = resident(Level.REAL_NAME)

    @routes.get("", access=real_name, summary="My applications, newest first", query=Page, answer=ApplicationList)
    async def my_applications(call: Call[Page]) -> ApplicationList:
        page, who = call.input, call.who.id
        found = await queries.list_for_resident(needs, resident_id=who, after=page.cursor, limit=page.wanted)
        mine, following = page.cut(found)
        return ApplicationList(items=await _presented(house, mine, who), next=following)

    @routes.get(
        "/<application_id:str>",
        access=real_name,
        summary="One of my applications",
        answer=Application,
        errors=(errors.ApplicationNotFound,),
    )
    async def one_application(call: Call[None], application_id: str) -> Application:
        return await shown(house, call, application_id)


def _commands(routes: Routes, house: House) -> None:
    """What moves an application on, or ends it."""
    needs = house.applications
    real_name = resident(Level.REAL_NAME)

    @routes.post(
        "/<application_id:str>/reopening",
        access=real_name,
        summary="Back to the draft; all confirmations are void",
        body=Empty,
        answer=Application,
        errors=(errors.ApplicationNotFound, errors.NotReopenable),
    )
    async def reopen(call: Call[Empty], application_id: str) -> Application:
        made = await call.once(
            lambda key: service.reopen(needs, application_id=application_id, resident_id=call.who.id, key=key)
        )
        return await shown(house, call, made)

    @routes.post(
        "/<application_id:str>/submission",
        access=real_name,
        summary="Submit to the registry",
        body=Empty,
        answer=Application,
        status=201,
        errors=(
            errors.ApplicationNotFound,
            errors.ConfirmationsMissing,
            errors.MaterialsMissing,
            errors.UnitClaimed,
            errors.AlreadySubmitted,
            errors.NotAwaitingConfirmation,
        ),
    )
    async def submit(call: Call[Empty], application_id: str) -> Application:
        made = await call.once(
            lambda key: service.submit(needs, application_id=application_id, resident_id=call.who.id, key=key)
        )
        return await shown(house, call, made)

    @routes.post(
        "/<application_id:str>/withdrawal",
        access=real_name,
        summary="Take the application back before it is accepted",
        body=Empty,
        answer=Application,
        errors=(errors.ApplicationNotFound, errors.NotWithdrawable, errors.PaymentInProgress),
    )
    async def withdraw(call: Call[Empty], application_id: str) -> Application:
        made = await call.once(
            lambda key: service.withdraw(needs, application_id=application_id, resident_id=call.who.id, key=key)
        )
        return await shown(house, call, made)


async def shown(house: House, call: Call[Any], application_id: str) -> Application:
    """The application as the caller sees it after a command, or APPLICATION_NOT_FOUND."""
    record = await queries.for_resident(house.applications, application_id=application_id, resident_id=call.who.id)
    (found,) = await _presented(house, [record], call.who.id)
    return found


async def _presented(house: House, records: Sequence[ApplicationRecord], resident_id: str) -> list[Application]:
    asked, names = await evidencing.asked_about(house, records)
    return [present(each, resident_id=resident_id, sharing=Sharing(asked.get(each.id, ()), names)) for each in records]
