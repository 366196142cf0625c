"""A look into the register by an owner."""

from typing import Annotated

from pydantic import AfterValidator, Field
from sanic import Blueprint

from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from server.identity.errors import RealNameRequired
from server.identity.rules import Level
from server.journeys.house import House
from server.journeys.looking_up import Lookup, look_up
from server.relay.errors import UnitNotFound
from server.terms.certificate_number import CertificateNumber
from server.terms.codes import CoOwnership
from server.terms.person_name import PersonName
from server.terms.unit_code import UnitCode

UnitCodeText = Annotated[str, Field(max_length=64), AfterValidator(lambda text: UnitCode.parse(text).code)]
NumberText = Annotated[str, Field(max_length=64), AfterValidator(lambda text: str(CertificateNumber.parse(text)))]


class RegisterQuery(Input):
    """Both as printed on the certificate; spaces and full-width brackets are understood."""

    unit_code: UnitCodeText
    certificate_number: NumberText


class Unit(Answer):
    """Area in 0.01 m2."""

    unit_code: str
    district: str
    location: str
    usage: str
    usage_text: str
    area_centiare: int


class Share(Answer):
    numerator: int
    denominator: int


class Owner(Answer):
    name_masked: str
    is_me: bool


class RegisterAnswer(Answer):
    """`encumbered`: another right stands on the unit."""

    unit: Unit
    certificate_number: str
    co_ownership: str
    co_ownership_text: str
    held_since: str
    my_share: Share | None
    owners: list[Owner]
    encumbered: bool


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The route of register queries; it changes nothing, so it needs no key."""
    routes = Routes("register_queries", "/api/v1/register-queries", edge)

    @routes.post(
        "",
        access=resident(Level.REAL_NAME),
        keyed=False,
        summary="What the register says now of a unit of mine",
        body=RegisterQuery,
        answer=RegisterAnswer,
        rate="30/minute",
        errors=(UnitNotFound, RealNameRequired),
    )
    async def register_query(call: Call[RegisterQuery]) -> RegisterAnswer:
        found = await look_up(
            house,
            resident_id=call.who.id,
            unit_code=call.input.unit_code,
            certificate_number=call.input.certificate_number,
        )
        return _present(found)

    return routes.blueprint


def _present(found: Lookup) -> RegisterAnswer:
    unit, me = found.unit, found.me
    share = None
    if me.share_numerator is not None and me.share_denominator is not None:
        share = Share(numerator=me.share_numerator, denominator=me.share_denominator)
    return RegisterAnswer(
        unit=Unit(
            unit_code=unit.unit_code,
            district=unit.district,
            location=unit.location,
            usage=unit.usage,
            usage_text=unit.usage_text,
            area_centiare=unit.area_centiare,
        ),
        certificate_number=unit.certificate_number,
        co_ownership=unit.co_ownership,
        co_ownership_text=CoOwnership(unit.co_ownership).text,
        held_since=unit.held_since.isoformat(),
        my_share=share,
        owners=[Owner(name_masked=PersonName(owner.name).masked(), is_me=owner is me) for owner in unit.owners],
        encumbered=unit.encumbered,
    )
