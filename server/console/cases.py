"""The registry's desk: the case list, a case, its materials, and the officer's decisions."""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, Field
from sanic import Blueprint, HTTPResponse

from kit.idempotency import RequestKey
from kit.web.access import staff
from kit.web.downloads import download
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Empty, Input
from server.console.case_schema import Case, CaseList, present, summary
from server.console.districts import scope_of
from server.journeys.house import House
from server.registry import errors, queries, service
from server.registry.queries import CaseLine
from server.registry.rules import CaseState
from server.terms.open_words import without_link
from server.terms.scope import Scope

Told = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(without_link)]
Opinion = Annotated[str, Field(max_length=1000), AfterValidator(without_link)]


class CasePage(Page):
    state: CaseState | None = None


class Acceptance(Input):
    opinion: Opinion = ""


class Correction(Input):
    """Everything at once (一次性告知); `deadline_days` are calendar days."""

    items: Annotated[list[Told], Field(min_length=1, max_length=50)]
    deadline_days: Annotated[int, Field(ge=1, le=90)]


class Refusal(Input):
    ground: Told
    opinion: Opinion = ""


class Review(Input):
    result: Literal["passed", "rejected"]
    opinion: Opinion = ""


class Decision(Protocol):
    """What every decision is called with beside its own content."""

    def __call__(
        self, *, staff_id: str, scope: Scope, case_id: str, version: int | None, key: RequestKey
    ) -> Awaitable[None]: ...


_COMMON = (errors.CaseNotFound, errors.CaseStale, errors.CaseStateWrong)


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of cases."""
    routes = Routes("cases", "/staff/v1/cases", edge)
    _reading(routes, house)
    _before_acceptance(routes, house)
    _after_acceptance(routes, house)
    return routes.blueprint


def _reading(routes: Routes, house: House) -> None:
    needs = house.registry

    @routes.get(
        "", access=staff("case.read"), summary="Cases of my districts, newest first", query=CasePage, answer=CaseList
    )
    async def case_list(call: Call[CasePage]) -> CaseList:
        page = call.input
        found = await queries.cases(
            needs, scope=scope_of(call), state=page.state, before=page.cursor, limit=page.wanted
        )
        shown, following = page.cut(found)
        items = [summary(line, await _business(house, line)) for line in shown]
        return CaseList(items=items, next=following)

    @routes.get(
        "/<case_id:str>",
        access=staff("case.read"),
        summary="A case, its parties masked",
        answer=Case,
        errors=(errors.CaseNotFound,),
    )
    async def read_case(call: Call[None], case_id: str) -> Case:
        return present(await queries.case(needs, scope=scope_of(call), case_id=case_id))

    @routes.get(
        "/<case_id:str>/materials/<material_id:str>",
        access=staff("case.read"),
        summary="One file of a case; leaves a trace",
        media_type="*/*",
        errors=(errors.CaseNotFound, errors.MaterialNotFound),
    )
    async def material(call: Call[None], case_id: str, material_id: str) -> HTTPResponse:
        opened = await service.open_material(
            needs, staff_id=call.who.id, scope=scope_of(call), case_id=case_id, material_id=material_id
        )
        return download(b"".join([chunk async for chunk in opened.chunks]), opened.mime, name=material_id)


def _before_acceptance(routes: Routes, house: House) -> None:
    needs = house.registry

    @routes.post(
        "/<case_id:str>/acceptance",
        access=staff("case.decide"),
        summary="Accept (受理)",
        body=Acceptance,
        answer=Case,
        errors=(*_COMMON, errors.RegisterChanged, errors.UnitOccupied, errors.SharesWrong),
    )
    async def acceptance(call: Call[Acceptance], case_id: str) -> Case:
        opinion = call.input.opinion
        return await _decide(house, call, case_id, lambda **given: service.accept(needs, opinion=opinion, **given))

    @routes.post(
        "/<case_id:str>/correction",
        access=staff("case.decide"),
        summary="Ask for corrections (补正), all at once",
        body=Correction,
        answer=Case,
        errors=_COMMON,
    )
    async def correction(call: Call[Correction], case_id: str) -> Case:
        items, days = call.input.items, call.input.deadline_days
        return await _decide(
            house,
            call,
            case_id,
            lambda **given: service.ask_correction(needs, items=items, deadline_days=days, **given),
        )

    @routes.post(
        "/<case_id:str>/refusal",
        access=staff("case.decide"),
        summary="Refuse acceptance or registration (不予受理、不予登记)",
        body=Refusal,
        answer=Case,
        errors=_COMMON,
    )
    async def refusal(call: Call[Refusal], case_id: str) -> Case:
        ground, opinion = call.input.ground, call.input.opinion
        return await _decide(
            house, call, case_id, lambda **given: service.refuse(needs, ground=ground, opinion=opinion, **given)
        )


def _after_acceptance(routes: Routes, house: House) -> None:
    needs = house.registry

    @routes.post(
        "/<case_id:str>/review",
        access=staff("case.review"),
        summary="Close the review (审核)",
        body=Review,
        answer=Case,
        errors=_COMMON,
    )
    async def review(call: Call[Review], case_id: str) -> Case:
        result, opinion = call.input.result, call.input.opinion
        return await _decide(
            house, call, case_id, lambda **given: service.review(needs, result=result, opinion=opinion, **given)
        )

    @routes.post(
        "/<case_id:str>/entry",
        access=staff("case.enter"),
        summary="Enter in the register (登簿)",
        body=Empty,
        answer=Case,
        errors=(
            *_COMMON,
            errors.ReviewNotPassed,
            errors.TaxNotCleared,
            errors.FeeNotSettled,
            errors.TrackOpen,
            errors.RegisterChanged,
        ),
    )
    async def entry(call: Call[Empty], case_id: str) -> Case:
        return await _decide(house, call, case_id, lambda **given: service.enter(needs, **given))


async def _decide(house: House, call: Call[Any], case_id: str, decision: Decision) -> Case:
    """Carry a decision out once under the request's key, and answer the case as it is then."""
    scope, version = scope_of(call), _version(call)

    async def command(key: RequestKey) -> str:
        await decision(staff_id=call.who.id, scope=scope, case_id=case_id, version=version, key=key)
        return case_id

    done = await call.once(command)
    return present(await queries.case(house.registry, scope=scope, case_id=done))


def _version(call: Call[Any]) -> int | None:
    """The version the officer saw, where the page says so; VERSION_MISSING for one that cannot be read."""
    if "if-match" not in call.request.headers:
        return None
    return call.if_match()


async def _business(house: House, line: CaseLine) -> str:
    procedure = await house.registry.procedures.of(
        business_type=line.business_type, district=line.district, version=line.catalogue_version
    )
    return procedure.name
