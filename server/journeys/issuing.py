"""A certificate put together from the register: what it says, its making, and the note of it on the holders."""

from server.certificates import queries as issued_queries
from server.certificates import service as certificates
from server.certificates.face import BuildingFacts
from server.certificates.request import HolderValues, IssueRequest
from server.journeys.house import House
from server.registry import service as registry
from server.registry.due import DueCertificate, DueCertificates
from server.terms.codes import CoOwnership, IdKind, RegistrationType, RightType
from server.terms.share import Share
from server.terms.unit_record import Owner


async def issue_one(house: House, request: IssueRequest, *, positions: tuple[int, ...]) -> str:
    """Make one certificate and note it in the register; again changes nothing."""
    certificate_id = await certificates.issue(house.certificates, request=request)
    number = await issued_queries.issued_number(house.certificates, certificate_id=certificate_id)
    await registry.record_certificate(
        house.registry,
        right_id=request.right_id,
        positions=positions,
        certificate_id=certificate_id,
        number=number,
    )
    return certificate_id


def request_of(due: DueCertificates, certificate: DueCertificate) -> IssueRequest:
    """What the certificate says, put together from the register."""
    unit = certificate.unit
    natures = [text for text in (unit.land_nature_text, unit.house_nature_text) if text]
    usages = [text for text in (unit.land_usage_text, unit.usage_text) if text]
    remarks = [f"登记类型：{RegistrationType(certificate.registration_type).text}"]
    if due.case_number:
        remarks.append(f"业务编号：{due.case_number}")
    return IssueRequest(
        case_id=due.case_id,
        position=certificate.position,
        application_id=due.application_id,
        right_id=certificate.right_id,
        district=unit.district,
        unit_code=unit.unit_code,
        location=unit.location,
        co_ownership=certificate.co_ownership,
        co_ownership_text=_co_ownership_text(certificate),
        holders=tuple(_holder(owner) for owner in certificate.holders),
        right_type_text=RightType(certificate.right_type).text,
        right_nature_text="/".join(natures),
        usage_text="/".join(usages),
        land_area=unit.land_area,
        building_area=unit.building_area,
        term_text=unit.term_text,
        registered_on=certificate.registered_on,
        land_area_shared=unit.land_area_shared,
        building=BuildingFacts(
            inner_area=unit.inner_area,
            shared_area=unit.shared_area,
            structure_text=unit.structure_text,
            floors_total=unit.floors_total,
            floor_text=unit.floor_text,
            completed_on=unit.completed_on,
        ),
        remarks=tuple(remarks),
        supersedes=certificate.supersedes,
    )


def _co_ownership_text(certificate: DueCertificate) -> str:
    text = CoOwnership(certificate.co_ownership).text
    first = certificate.holders[0]
    if certificate.co_ownership != CoOwnership.BY_SHARES or first.share_numerator is None:
        return text
    share = Share.of(first.share_numerator, first.share_denominator or 1)
    return f"{text}（{share.percent_text()}）"


def _holder(owner: Owner) -> HolderValues:
    return HolderValues(
        name=owner.name,
        id_kind=owner.id_kind,
        id_number=owner.id_number,
        share_numerator=owner.share_numerator,
        share_denominator=owner.share_denominator,
        id_kind_text=IdKind(owner.id_kind).text,
    )
