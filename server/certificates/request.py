"""What it takes to issue a certificate, and what arrives of one at the platform, as plain values."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from server.certificates.claims import CertificateKind
from server.certificates.face import BuildingFacts, CertificateFace, Holder


@dataclass(frozen=True, slots=True)
class HolderValues:
    """A right holder in clear; shares both None where all own together without shares."""

    name: str
    id_kind: str
    id_number: str
    share_numerator: int | None = None
    share_denominator: int | None = None
    id_kind_text: str = ""


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """One certificate: `case_id` and `position` name it for ever, so that asking again makes no second one.

    `supersedes` are ids of certificates it takes the place of; `number` is given only for one that has it already.
    Areas in 0.01 m2.
    """

    case_id: str
    position: int
    application_id: str
    right_id: str
    district: str
    unit_code: str
    location: str
    co_ownership: str
    co_ownership_text: str
    holders: tuple[HolderValues, ...]
    right_type_text: str
    right_nature_text: str
    usage_text: str
    land_area: int | None
    building_area: int | None
    term_text: str
    registered_on: dt.date
    kind: CertificateKind = CertificateKind.TITLE_CERTIFICATE
    land_area_shared: bool = False
    building: BuildingFacts = field(default_factory=BuildingFacts)
    other_conditions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    number: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivedCertificate:
    """A certificate as the registry sent it down: `pdf` is the sealed file, `credential` the QR code's base32."""

    certificate_id: str
    application_id: str
    number: str
    kind: str
    unit_code: str
    district: str
    location: str
    registered_on: dt.date
    state: str
    co_ownership: str
    paper_state: str
    holders: tuple[HolderValues, ...]
    credential: str
    pdf: bytes
    pdf_digest: str


def face_of(request: IssueRequest, *, number: str, registry_name: str) -> CertificateFace:
    """What is printed; ID documents are printed behind the names, as the register knows them."""
    return CertificateFace(
        number=number,
        holders=tuple(Holder(holder.name, holder.id_kind_text, holder.id_number) for holder in request.holders),
        co_ownership_text=request.co_ownership_text,
        location=request.location,
        unit_code=request.unit_code,
        right_type_text=request.right_type_text,
        right_nature_text=request.right_nature_text,
        usage_text=request.usage_text,
        land_area=request.land_area,
        building_area=request.building_area,
        term_text=request.term_text,
        registry_name=registry_name,
        registered_on=request.registered_on,
        land_area_shared=request.land_area_shared,
        building=request.building,
        other_conditions=request.other_conditions,
        remarks=request.remarks,
    )


def holders_from(values: list[dict[str, Any]]) -> tuple[HolderValues, ...]:
    return tuple(HolderValues(**value) for value in values)
