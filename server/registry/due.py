"""The certificates that an entered case has to give out."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from kit.clock import local_date
from server.registry.gates import blockers
from server.registry.models import RegistryCase, RegistryHolder, RegistryRegisterEntry, RegistryRight, RegistryUnit
from server.registry.ports import Needs
from server.registry.sealed import location_of, owner_of
from server.terms.codes import CoOwnership, HouseNature, HouseStructure, HouseUsage, RightNature
from server.terms.unit_record import Owner


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What a certificate prints of a unit; areas in 0.01 m2."""

    unit_code: str
    district: str
    location: str
    land_usage_text: str
    usage_text: str
    land_nature_text: str
    house_nature_text: str
    structure_text: str
    land_area: int | None
    land_area_shared: bool
    building_area: int | None
    inner_area: int | None
    shared_area: int | None
    floors_total: int | None
    floor_text: str
    completed_on: date | None
    term_text: str


@dataclass(frozen=True, slots=True)
class DueCertificate:
    """A certificate to be made: for all holders together, or for one owner by shares."""

    position: int
    right_id: str
    right_type: str
    registration_type: str
    co_ownership: str
    holders: tuple[Owner, ...]
    holder_positions: tuple[int, ...]
    unit: UnitFacts
    registered_on: date
    supersedes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueCertificates:
    """Everything an entered case still has to give out; empty while a track holds the certificates up."""

    case_id: str
    case_number: str
    application_id: str
    certificates: tuple[DueCertificate, ...]


async def due_certificates(needs: Needs, *, case_id: str) -> DueCertificates:
    """What is to be made for an entered case, the same at every call."""
    found = await RegistryCase.get(id=case_id)
    due: list[DueCertificate] = []
    if not await blockers(needs, found, gate="certificate"):
        for line in await RegistryRegisterEntry.filter(case_id=case_id).order_by("position"):
            superseded = await _certificates_of(line.old_right_id)
            for certificate in await _certificates_for(
                needs, right_id=line.new_right_id, registered_on=local_date(line.entered_at)
            ):
                due.append(DueCertificate(position=len(due) + 1, supersedes=superseded, **certificate))
    return DueCertificates(found.id, found.case_number or "", found.application_id, tuple(due))


async def seeded_certificate(needs: Needs, *, right_id: str, registered_on: date) -> DueCertificate:
    """The certificate of a right that was there before us and that its owners hold together."""
    [certificate] = await _certificates_for(needs, right_id=right_id, registered_on=registered_on)
    return DueCertificate(position=1, supersedes=(), **certificate)


async def _certificates_for(needs: Needs, *, right_id: str, registered_on: date) -> list[dict[str, Any]]:
    """One certificate for all holders together, or one for each owner by shares."""
    right = await RegistryRight.get(id=right_id)
    place = await RegistryUnit.get(id=right.unit_id)
    holders = await RegistryHolder.filter(right_id=right_id).order_by("position")
    groups = [[holder] for holder in holders] if right.co_ownership == CoOwnership.BY_SHARES else [holders]
    return [
        {
            "right_id": right.id,
            "right_type": right.right_type,
            "registration_type": right.registration_type,
            "co_ownership": right.co_ownership,
            "holders": tuple(owner_of(needs.cipher, holder) for holder in group),
            "holder_positions": tuple(holder.position for holder in group),
            "unit": _facts(needs, place),
            "registered_on": registered_on,
        }
        for group in groups
    ]


async def _certificates_of(right_id: str | None) -> tuple[str, ...]:
    holders = await RegistryHolder.filter(right_id=right_id).order_by("position")
    return tuple(dict.fromkeys(holder.certificate_id for holder in holders if holder.certificate_id))


def _facts(needs: Needs, place: RegistryUnit) -> UnitFacts:
    return UnitFacts(
        unit_code=place.unit_code,
        district=place.district,
        location=location_of(needs.cipher, place),
        land_usage_text=place.land_usage_text,
        usage_text=HouseUsage(place.usage).text,
        land_nature_text=RightNature(place.land_nature).text,
        house_nature_text=HouseNature(place.house_nature).text if place.house_nature else "",
        structure_text=HouseStructure(place.structure).text if place.structure else "",
        land_area=place.land_area,
        land_area_shared=place.land_area_shared,
        building_area=place.building_area,
        inner_area=place.inner_area,
        shared_area=place.shared_area,
        floors_total=place.floors_total,
        floor_text=place.floor_text,
        completed_on=place.completed_on,
        term_text=place.term_text,
    )
