"""Confirmations: each party answers the inquiry, reads what they confirm, and confirms exactly that."""

import base64
import binascii
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sanic import Blueprint

from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty, Id, Input
from miniprogram_api.application_schema import Application
from miniprogram_api.applications import shown
from server.applications import errors, queries, service
from server.applications.requirements import QuestionLine
from server.identity import errors as identity_errors
from server.identity.rules import FaceAction, Level
from server.journeys import filing
from server.journeys.house import House
from server.terms.open_words import stated_reason

_LONGEST_SIGNATURE = 720_000  # 512 KiB as base64, and a little
_CODE = Annotated[str, Field(max_length=32)]


class Option(Answer):
    code: str
    text: str


class Question(Answer):
    code: str
    text: str
    kind: str
    options: list[Option]


class Inquiry(Answer):
    questions: list[Question]
    answers: dict[str, str] | None


class InquiryInput(Input):
    """Question code -> choice code."""

    answers: Annotated[dict[_CODE, _CODE], Field(max_length=100)]


class Statement(Answer):
    """What is to be confirmed; `digest` (SHA-256 of its canonical JSON) is what the face check is opened for."""

    statement: dict[str, Any]
    statement_text: str
    digest: str


class ConfirmationInput(Input):
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    face_check_id: Id
    signature_png_base64: Annotated[str, Field(min_length=1, max_length=_LONGEST_SIGNATURE)]


class RefusalInput(Input):
    reason: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(stated_reason)]


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of confirmations."""
    routes = Routes("confirmations", "/api/v1/applications/<application_id:str>", edge)
    _asking(routes, house)
    _inquiry(routes, house)
    _confirming(routes, house)
    return routes.blueprint


def _asking(routes: Routes, house: House) -> None:
    """The draft is put to all parties; any of them may end it instead."""
    needs = house.applications
    real_name = resident(Level.REAL_NAME)

    @routes.post(
        "/confirmation-request",
        access=real_name,
        summary="Close the draft and ask every party to confirm",
        body=Empty,
        answer=Application,
        errors=(errors.ApplicationNotFound, errors.MaterialsMissing, errors.NotEditable),
    )
    async def request_confirmation(call: Call[Empty], application_id: str) -> Application:
        made = await call.once(
            lambda key: service.request_confirmation(
                needs, application_id=application_id, resident_id=call.who.id, key=key
            )
        )
        return await shown(house, call, made)

    @routes.post(
        "/refusal",
        access=real_name,
        summary="I do not agree: the application ends",
        body=RefusalInput,
        answer=Application,
        errors=(errors.ApplicationNotFound, errors.NotAwaitingConfirmation, errors.PaymentInProgress),
    )
    async def refuse(call: Call[RefusalInput], application_id: str) -> Application:
        made = await call.once(
            lambda key: service.refuse(
                needs, application_id=application_id, resident_id=call.who.id, reason=call.input.reason, key=key
            )
        )
        return await shown(house, call, made)


def _inquiry(routes: Routes, house: House) -> None:
    needs = house.applications
    real_name = resident(Level.REAL_NAME)

    @routes.get(
        "/inquiry",
        access=real_name,
        summary="The questions put to me",
        answer=Inquiry,
        errors=(errors.ApplicationNotFound,),
    )
    async def my_inquiry(call: Call[None], application_id: str) -> Inquiry:
        found = await queries.inquiry(needs, application_id=application_id, resident_id=call.who.id)
        return Inquiry(questions=[_question(each) for each in found.questions], answers=found.answers)

    @routes.put(
        "/inquiry",
        access=real_name,
        summary="Answer them, and get the statement to confirm",
        body=InquiryInput,
        answer=Statement,
        errors=(
            errors.ApplicationNotFound,
            errors.InquiryIncomplete,
            errors.NotAwaitingConfirmation,
            errors.AlreadyConfirmed,
        ),
    )
    async def answer_inquiry(call: Call[InquiryInput], application_id: str) -> Statement:
        found = await service.answer_inquiry(
            needs, application_id=application_id, resident_id=call.who.id, answers=call.input.answers
        )
        return Statement(statement=found.statement, statement_text=found.text, digest=found.digest)


def _confirming(routes: Routes, house: House) -> None:
    @routes.post(
        "/confirmations",
        access=resident(Level.REAL_NAME, action=FaceAction.CONFIRM_APPLICATION),
        summary="Confirm exactly what was shown, with a passed face check and a drawn signature",
        body=ConfirmationInput,
        answer=Application,
        status=201,
        errors=(
            errors.ApplicationNotFound,
            errors.NotAwaitingConfirmation,
            errors.AlreadyConfirmed,
            errors.InquiryNotAnswered,
            errors.StatementChanged,
            errors.SignatureInvalid,
            errors.PartyNameDiffers,
            errors.UnitClaimed,
            identity_errors.FaceCheckNotFound,
            identity_errors.FaceCheckMismatch,
            identity_errors.FaceCheckUsed,
            identity_errors.FaceCheckNotPassed,
            identity_errors.FaceCheckExpired,
        ),
    )
    async def confirm(call: Call[ConfirmationInput], application_id: str) -> Application:
        signature = _signature(call.input.signature_png_base64)
        made = await call.once(
            lambda key: filing.confirm(
                house,
                application_id=application_id,
                resident_id=call.who.id,
                digest=call.input.digest,
                face_check_id=call.input.face_check_id,
                signature=signature,
                key=key,
            )
        )
        return await shown(house, call, made)


def _question(line: QuestionLine) -> Question:
    codes = {choice.code for choice in line.choices}
    return Question(
        code=line.code,
        text=line.text,
        kind="yes_no" if codes == {"yes", "no"} else "choice",
        options=[Option(code=choice.code, text=choice.text) for choice in line.choices],
    )


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise errors.SignatureInvalid from None
