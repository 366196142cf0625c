"""Materials: one file at a time, streamed, so that a phone on a bad line loses one file at most."""

from sanic import Blueprint

from kit.files.errors import FileTooLarge
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.errors import BodyTooLarge, WrongMediaType
from kit.web.routes import Routes
from kit.web.validation import Id, Query
from miniprogram_api.application_schema import File, present_file
from server.applications import errors, queries, service
from server.identity.rules import Level
from server.journeys.house import House

LARGEST_UPLOAD = 64 * 1024 * 1024
"""Past this a stream is cut off whatever the material allows; the material's own limit is smaller."""


class WhoseMaterial(Query):
    """Whose material it is, where each party brings their own."""

    party_id: Id | None = None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of materials."""
    routes = Routes("materials", "/api/v1/applications/<application_id:str>/materials/<code:str>/files", edge)
    needs = house.applications
    real_name = resident(Level.REAL_NAME)

    @routes.post(
        "",
        access=real_name,
        summary="Upload one file of a material: the raw bytes as the body",
        query=WhoseMaterial,
        answer=File,
        status=201,
        stream=True,
        rate="120/minute",
        errors=(
            errors.ApplicationNotFound,
            errors.MaterialUnknown,
            errors.PartyUnknown,
            errors.NotEditable,
            errors.FileNotWhatItSays,
            errors.FileEmpty,
            errors.TooManyFiles,
            FileTooLarge,
            BodyTooLarge,
            WrongMediaType,
        ),
    )
    async def upload(call: Call[WhoseMaterial], application_id: str, code: str) -> File:
        made = await call.once(
            lambda key: service.attach_file(
                needs,
                application_id=application_id,
                resident_id=call.who.id,
                code=code,
                party_id=call.input.party_id,
                declared=call.request.headers.get("content-type", ""),
                chunks=call.chunks(limit=LARGEST_UPLOAD),
                key=key,
            )
        )
        file = await queries.file_of(needs, application_id=application_id, file_id=made, resident_id=call.who.id)
        return present_file(file)

    @routes.delete(
        "/<file_id:str>",
        access=real_name,
        summary="Remove a file from a draft",
        status=204,
        errors=(errors.ApplicationNotFound, errors.MaterialUnknown, errors.NotEditable),
    )
    async def remove(call: Call[None], application_id: str, code: str, file_id: str) -> None:
        await service.remove_file(
            needs, application_id=application_id, resident_id=call.who.id, code=code, file_id=file_id
        )

    return routes.blueprint
