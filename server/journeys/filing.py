"""Filing an application: what needs the register, the catalogue, the resident and the application at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kit.clock import local_date
from kit.errors import FieldError
from kit.idempotency import RequestKey
from server.applications import queries
from server.applications import service as applications
from server.applications.errors import (
    AlreadyConfirmed,
    InquiryNotAnswered,
    OpenerNotAParty,
    PartiesIncomplete,
    PartyNameDiffers,
    StatementChanged,
)
from server.applications.records import EntryDraft, Owner, PartyDraft, Unit
from server.applications.rules import check_awaiting
from server.applications.states import PartyState
from server.catalogue import queries as catalogue
from server.catalogue.content import BusinessType
from server.identity import queries as residents
from server.identity import service as identity
from server.identity.rules import FaceAction
from server.journeys.house import House
from server.journeys.looking_up import trace
from server.journeys.requirements import facts_for, requirements_for, shared_lines
from server.relay import queries as register
from server.relay.errors import UnitNotFound
from server.terms.codes import PartyRole
from server.terms.id_document import ID_NUMBER_INDEX
from server.terms.share import Share
from server.terms.unit_code import UnitCode
from server.terms.unit_record import UnitRecord


@dataclass(frozen=True, slots=True)
class Myself:
    """The opener as a party: name, number and phone are those already verified, so they are not typed again."""

    role: PartyRole
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a resident typed in; price in fen, numbers and names canonical."""

    business_type: str
    unit_code: str
    certificate_number: str
    price_fen: int
    sole_home_over_five_years: bool
    parties: Sequence[PartyDraft | Myself]


async def open_application(house: House, *, resident_id: str, wish: Wish, key: RequestKey | None = None) -> str:
    """Look the unit up in the register now, and open a draft with it; answers the application's id.

    BUSINESS_UNKNOWN, UNIT_NOT_FOUND, OPENER_NOT_A_PARTY, PARTY_NAME_DIFFERS, PARTIES_INCOMPLETE and what
    `applications.service.open_draft` refuses. OutsideError when the register cannot be asked.
    """
    parties = await _bound(house, resident_id, wish.parties)
    district = UnitCode.parse(wish.unit_code).district().code
    business = await catalogue.business(house.catalogue, code=wish.business_type, district=district)
    _check_roles(business, parties)
    found = await register.unit(house.relay, unit_code=wish.unit_code, certificate_number=wish.certificate_number)
    # Before anything is refused: whoever tries owners' names against the register is to be seen trying.
    result = "ok" if found else "not_found"
    await trace(house, resident_id=resident_id, unit_code=wish.unit_code, result=result, purpose="application")
    if found is None:
        raise UnitNotFound
    unit = unit_from(found)
    today = local_date(house.clock.now())
    facts = facts_for(unit, parties, on=today)
    shared = shared_lines(business, await catalogue.sources(house.catalogue), facts, parties, on=today)
    requirements = requirements_for(business, facts, shared)
    entry = EntryDraft(
        business_type=business.code,
        registration_type=business.registration_type.value,
        right_type=business.right_type.value,
        unit=unit,
        parties=tuple(range(len(parties))),
    )
    return await applications.open_draft(
        house.applications,
        opened_by=resident_id,
        requirements=requirements,
        district=unit.district,
        entries=[entry],
        parties=parties,
        price_fen=wish.price_fen,
        sole_home_over_five_years=wish.sole_home_over_five_years,
        key=key,
    )


async def _bound(house: House, resident_id: str, wished: Sequence[PartyDraft | Myself]) -> list[PartyDraft]:
    """The parties with the residents they are; the opener must be one of them, under the verified name."""
    me = await residents.person(house.identity, resident_id=resident_id)
    parties = [_prefilled(party, me) if isinstance(party, Myself) else party for party in wished]
    mine = next((party for party in parties if party.id_number == me.id_number), None)
    if mine is None:
        raise OpenerNotAParty
    if mine.name != me.name:
        raise PartyNameDiffers
    blinds = [house.cipher.blind(party.id_number, purpose=ID_NUMBER_INDEX) for party in parties]
    known = await residents.residents_by_id_number(house.identity, blinds=blinds)
    return [replace(party, resident_id=known.get(blind)) for party, blind in zip(parties, blinds, strict=True)]


def _prefilled(party: Myself, me: residents.Person) -> PartyDraft:
    return PartyDraft(
        role=party.role,
        name=me.name,
        id_kind=me.id_kind.value,
        id_number=me.id_number,
        share=party.share,
        phone=me.phone,
    )


def _check_roles(business: BusinessType, parties: Sequence[PartyDraft]) -> None:
    errors = []
    for rule in business.roles:
        count = sum(party.role == rule.role for party in parties)
        if not rule.least <= count <= rule.most:
            message = f"{rule.name}应为{rule.least}至{rule.most}位，现在填写了{count}位"
            errors.append(FieldError(f"parties.{rule.role.value}", "PARTIES_INCOMPLETE", message))
    if errors:
        raise PartiesIncomplete(errors=errors)


def unit_from(found: UnitRecord) -> Unit:
    """What the register answered, as the application keeps it."""
    return Unit(
        unit_code=found.unit_code,
        certificate_number=found.certificate_number,
        district=found.district,
        location=found.location,
        usage=found.usage,
        usage_text=found.usage_text,
        area_centiare=found.area_centiare,
        held_since=found.held_since,
        co_ownership=found.co_ownership,
        encumbered=found.encumbered,
        version=found.version,
        owners=tuple(
            Owner(
                owner.name,
                owner.id_kind,
                owner.id_number,
                Share.of(owner.share_numerator, owner.share_denominator)
                if owner.share_numerator and owner.share_denominator
                else None,
            )
            for owner in found.owners
        ),
    )


async def confirm(
    house: House,
    *,
    application_id: str,
    resident_id: str,
    digest: str,
    face_check_id: str,
    signature: bytes,
    key: RequestKey | None = None,
) -> str:
    """Use up the face check for exactly this statement, then record the confirmation.

    Everything that can be refused beforehand is, so that a face check is not spent in vain; a repetition after a
    crash between the two finds its check used by itself.
    """
    applications.check_signature(signature)
    record = await queries.for_resident(house.applications, application_id=application_id, resident_id=resident_id)
    check_awaiting(record.state)
    party = record.party_of(resident_id)
    if party is None or party.state is PartyState.CONFIRMED:
        raise AlreadyConfirmed
    person = await residents.person(house.identity, resident_id=resident_id)
    if person.name != party.name:
        raise PartyNameDiffers
    pending = await queries.pending_confirmation(
        house.applications, application_id=application_id, resident_id=resident_id
    )
    if pending is None:
        raise InquiryNotAnswered
    if pending.digest != digest:
        raise StatementChanged
    await identity.consume_face_check(
        house.identity,
        check_id=face_check_id,
        resident_id=resident_id,
        action=FaceAction.CONFIRM_APPLICATION,
        digest=digest,
        consumed_by=pending.id,
    )
    return await applications.confirm(
        house.applications,
        application_id=application_id,
        resident_id=resident_id,
        digest=digest,
        face_check_id=face_check_id,
        signature=signature,
        key=key,
    )
