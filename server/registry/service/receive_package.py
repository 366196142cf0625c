from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.ids import new_id
from server.registry import rules
from server.registry.errors import CaseNotHereYet, MaterialsNotHereYet
from server.registry.models import RegistryCase, RegistryCaseEntry, RegistryMaterial, RegistryTrack
from server.registry.package import Package, parse_package
from server.registry.ports import Needs, Procedure
from server.registry.rules import CaseState
from server.registry.sealed import seal_confirmations, seal_parties
from server.terms.messages import UpMessage

PLATFORM = Actor("system", "platform")


async def receive_package(needs: Needs, *, message: UpMessage) -> None:
    """Open the case of a `case_package`, or renew it when it answers a correction; again it changes nothing.

    Raises MaterialsNotHereYet while its files have not arrived, CaseNotHereYet for a `correction` of no case.
    """
    package = parse_package(message.body)
    await _check_files(needs, package)
    try:
        await _store(needs, package=package, correction=message.kind == "correction")
    except IntegrityError:
        if not await RegistryCase.exists(application_id=package.application_id):
            raise


async def _check_files(needs: Needs, package: Package) -> None:
    scope = rules.material_scope(package.application_id)
    for material in package.materials:
        if not await needs.files.exists(scope, material.digest):
            raise MaterialsNotHereYet(material.code)


@transactional
async def _store(needs: Needs, *, package: Package, correction: bool) -> None:
    found = await RegistryCase.filter(application_id=package.application_id).select_for_update().get_or_none()
    if found is None and correction:
        raise CaseNotHereYet(package.application_id)
    if found is not None:
        if found.state != CaseState.CORRECTION_ASKED or package.submitted_at <= found.submitted_at:
            return
        await _forget_content(found)
    now = needs.clock.now()
    case = await _fill(needs, found, package, now)
    procedures = [
        await needs.procedures.of(
            business_type=entry.business_type, district=package.district, version=package.catalogue_version
        )
        for entry in package.entries
    ]
    await _add_entries(needs, case, package, procedures)
    await _add_materials(case, package, procedures)
    await _add_tracks(case, procedures, now)
    await record(
        actor=PLATFORM,
        action="registry.package_received" if found is None else "registry.correction_received",
        subject=("case", case.id),
        details={"entries": len(package.entries), "materials": len(package.materials)},
        at=now,
    )


async def _forget_content(case: RegistryCase) -> None:
    """The corrected package replaces what was asked to be corrected; the decision that asked stays."""
    await RegistryCaseEntry.filter(case_id=case.id).delete()
    await RegistryMaterial.filter(case_id=case.id).delete()
    await RegistryTrack.filter(case_id=case.id).delete()


async def _fill(needs: Needs, found: RegistryCase | None, package: Package, now: datetime) -> RegistryCase:
    case = found or RegistryCase(
        id=new_id(), application_id=package.application_id, version=0, created_at=now, district=package.district
    )
    case.application_number = package.number
    case.business_type = package.entries[0].business_type
    case.catalogue_version = package.catalogue_version
    case.mode, case.origin = package.mode, package.origin
    case.price_fen = package.price_fen
    case.state = CaseState.RECEIVED
    case.submitted_at, case.received_at, case.updated_at = package.submitted_at, now, now
    case.confirmations_sealed = seal_confirmations(needs.cipher, case.id, package.confirmations)
    case.version += 1
    await case.save()
    return case


async def _add_entries(needs: Needs, case: RegistryCase, package: Package, procedures: list[Procedure]) -> None:
    for entry, procedure in zip(package.entries, procedures, strict=True):
        entry_id = new_id()
        await RegistryCaseEntry.create(
            id=entry_id,
            case_id=case.id,
            position=entry.position,
            business_type=entry.business_type,
            entry_kind=procedure.entry_kind,
            registration_type=entry.registration_type,
            right_type=entry.right_type,
            unit_code=entry.unit_code,
            certificate_number=entry.certificate_number,
            register_version=entry.register_version,
            parties_sealed=seal_parties(needs.cipher, entry_id, entry.parties),
        )


async def _add_materials(case: RegistryCase, package: Package, procedures: list[Procedure]) -> None:
    for position, material in enumerate(package.materials, start=1):
        names = (procedure.material_name(material.code) for procedure in procedures)
        await RegistryMaterial.create(
            id=new_id(),
            case_id=case.id,
            position=position,
            code=material.code,
            name=next((name for name in names if name != material.code), material.code),
            party_position=material.party_position,
            digest=material.digest,
            mime=material.mime,
            size=material.size,
            source=material.source,
            source_text=material.source_text,
            purpose=material.purpose,
            legal_basis=material.legal_basis,
        )


async def _add_tracks(case: RegistryCase, procedures: list[Procedure], now: datetime) -> None:
    plans = {plan.code: plan for procedure in procedures for plan in procedure.tracks}
    for position, plan in enumerate(plans.values(), start=1):
        await RegistryTrack.create(
            id=new_id(),
            case_id=case.id,
            position=position,
            code=plan.code,
            name=plan.name,
            state=rules.NOT_STARTED,
            updated_at=now,
        )
