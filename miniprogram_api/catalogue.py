"""The service guide: what a business asks for, how long it takes, what it costs."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import local_date
from kit.web.access import public
from kit.web.edge import Call, Edge
from kit.web.errors import NotFound
from kit.web.routes import Routes
from kit.web.validation import Answer, Query
from server.catalogue import queries
from server.catalogue.content import BusinessType, FeeSchedule
from server.catalogue.errors import BusinessUnknown
from server.catalogue.laws import Law, laws_of
from server.catalogue.rules import is_in_force
from server.journeys.house import House

_FEE_DUE_TEXTS = {"acceptance": "受理后", "review_passed": "审核通过后", "before_certificate": "领证前"}


class Where(Query):
    """The guide of one district; without it, what holds everywhere."""

    district: Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")] | None = None


class MaterialGuide(Answer):
    """`always` says whether everybody brings it; others depend on the case."""

    code: str
    name: str
    hint: str
    provider: str
    form: str
    per: str
    always: bool
    accepted_mime: list[str]
    max_mb: int
    max_files: int


class NameGuide(Answer):
    code: str
    name: str


class StepGuide(Answer):
    code: str
    name: str
    text: str


class FeeGuide(Answer):
    """Amounts in fen; the first rule that applies decides."""

    id: str
    name: str
    base_fen: int
    first_certificate_fen: int
    extra_certificate_fen: int
    source: str


class LawGuide(Answer):
    """A legal basis: `subject` says what it settles."""

    title: str
    articles: str
    subject: str


class Guide(Answer):
    code: str
    name: str
    summary: str
    version: int
    roles: list[NameGuide]
    materials: list[MaterialGuide]
    tracks: list[NameGuide]
    steps: list[StepGuide]
    time_limit_working_days: int
    confirmation_hours: int
    fee_due: str
    fee_due_text: str
    fees: list[FeeGuide]
    laws: list[LawGuide]
    commitment_title: str
    commitment_text: str


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of the service guide."""
    routes = Routes("catalogue", "/api/v1/catalogue", edge)

    @routes.get(
        "/businesses/<code:str>",
        access=public("a service guide is for everybody, before they log in"),
        summary="The guide of a business",
        query=Where,
        answer=Guide,
        rate="120/minute",
        errors=(NotFound,),
    )
    async def business_guide(call: Call[Where], code: str) -> Guide:
        try:
            business = await queries.business(house.catalogue, code=code.upper(), district=call.input.district or "")
        except BusinessUnknown:
            raise NotFound from None
        fees = _fees(house, await queries.fee_rules(house.catalogue), call.input.district)
        laws = laws_of(await queries.laws(house.catalogue), business=business.code)
        return _guide(business, fees, laws)

    return routes.blueprint


def _fees(house: House, schedule: FeeSchedule, district: str | None) -> list[FeeGuide]:
    today = local_date(house.clock.now())
    return [
        FeeGuide(
            id=rule.id,
            name=rule.name,
            base_fen=rule.base_fen,
            first_certificate_fen=rule.first_certificate_fen,
            extra_certificate_fen=rule.extra_certificate_fen,
            source=rule.source,
        )
        for rule in schedule.rules
        if is_in_force(rule, today) and (not rule.districts or district in rule.districts)
    ]


def _guide(business: BusinessType, fees: list[FeeGuide], laws: Sequence[Law]) -> Guide:
    return Guide(
        code=business.code,
        name=business.name,
        summary=business.summary,
        version=business.version,
        roles=[NameGuide(code=rule.role.value, name=rule.name) for rule in business.roles],
        materials=[
            MaterialGuide(
                code=line.code,
                name=line.name,
                hint=line.hint,
                provider=line.provider,
                form=line.form.value,
                per=line.per.value,
                always=line.required.text == "always",
                accepted_mime=list(line.accepted_mime),
                max_mb=line.max_mb,
                max_files=line.max_files,
            )
            for line in business.materials
        ],
        tracks=[NameGuide(code=track.code, name=track.name) for track in business.tracks],
        steps=[StepGuide(code=step.code, name=step.name, text=step.resident_text) for step in business.steps],
        time_limit_working_days=business.time_limit_working_days,
        confirmation_hours=business.confirmation_hours,
        fee_due=business.fee_due.value,
        fee_due_text=_FEE_DUE_TEXTS[business.fee_due.value],
        fees=fees,
        laws=[LawGuide(title=law.title, articles=law.articles, subject=law.subject) for law in laws],
        commitment_title=business.commitment.title,
        commitment_text=business.commitment.text,
    )
