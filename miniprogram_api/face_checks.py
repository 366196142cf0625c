"""Face checks: opened here, done between phone and wallet, their outcome fetched from the wallet's server."""

from typing import Annotated, Literal

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty, Input
from server.identity import errors, queries, service
from server.identity.rules import Level
from server.journeys.house import House


class FaceCheckInput(Input):
    """`real_name` takes name and id_number; `confirm_application` takes the digest of what is confirmed."""

    action: Literal["real_name", "confirm_application"]
    name: Annotated[str, Field(max_length=120)] | None = None
    id_number: Annotated[str, Field(max_length=40)] | None = None
    digest: Annotated[str, Field(max_length=64)] | None = None


class FaceCheck(Answer):
    """`verify_id` is what the phone hands to `wx.requestFacialVerify`.

    In Alipay it goes with `verify_url` to `my.call('startBizService', {name: 'open-certify', ...})`; in WeChat that is
    null.
    """

    id: str
    action: str
    state: str
    state_text: str
    verify_id: str
    verify_url: str | None
    expires_at: str


class FaceCheckResult(Answer):
    """`opened` means that the wallet has decided nothing yet."""

    id: str
    action: str
    state: str
    state_text: str


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of face checks."""
    routes = Routes("face_checks", "/api/v1/face-checks", edge)
    _opening(routes, house)
    _settling(routes, house)
    return routes.blueprint


def _opening(routes: Routes, house: House) -> None:
    needs = house.identity

    @routes.post(
        "",
        access=resident(Level.WALLET),
        summary="Open a face check",
        body=FaceCheckInput,
        answer=FaceCheck,
        status=201,
        rate="20/hour",
        errors=(
            errors.NameInvalid,
            errors.IdNumberInvalid,
            errors.IdBirthDateInvalid,
            errors.IdCheckDigitWrong,
            errors.FaceDigestInvalid,
            errors.RealNameRequired,
            errors.IdentityFixed,
            errors.WalletMissing,
        ),
    )
    async def open_check(call: Call[FaceCheckInput]) -> FaceCheck:
        given = call.input
        check_id = await call.once(
            lambda key: service.open_face_check(
                needs,
                resident_id=call.who.id,
                wallet=call.who.wallet,
                action=given.action,
                digest=given.digest,
                name=given.name,
                id_number=given.id_number,
                key=key,
            ),
            calls_outside=True,
        )
        view = await queries.face_check(needs, resident_id=call.who.id, check_id=check_id)
        return FaceCheck(
            id=view.id,
            action=view.action,
            state=view.state,
            state_text=view.state_text,
            verify_id=view.verify_id,
            verify_url=view.verify_url,
            expires_at=rfc3339(view.expires_at),
        )


def _settling(routes: Routes, house: House) -> None:
    needs = house.identity

    @routes.post(
        "/<check_id:str>/result",
        access=resident(Level.WALLET),
        summary="Ask the wallet how the check ended",
        body=Empty,
        answer=FaceCheckResult,
        rate="120/hour",
        errors=(errors.FaceCheckNotFound, errors.FaceCheckExpired, errors.IdentityAlreadyBound, errors.IdentityFixed),
    )
    async def settle(call: Call[Empty], check_id: str) -> FaceCheckResult:
        settled = await call.once(
            lambda key: service.settle_face_check(needs, resident_id=call.who.id, check_id=check_id, key=key)
        )
        view = await queries.face_check(needs, resident_id=call.who.id, check_id=settled)
        return FaceCheckResult(id=view.id, action=view.action, state=view.state, state_text=view.state_text)
