"""Materials for officers, the live query for the platform, and the seed."""

from datetime import timedelta

import pytest

from kit.audit.models import AuditRecord
from kit.ids import new_id
from server.registry import errors, service
from server.registry.models import RegistryMaterial, RegistryRight, RegistryUnit
from tests.factories import registry
from tests.factories.registry import ELSEWHERE, HERE, OFFICER


async def test_an_officer_opens_a_material_and_leaves_a_trace(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    material = await RegistryMaterial.filter(case_id=case_id).first()
    assert material is not None
    opened = await service.open_material(
        desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, material_id=material.id
    )
    assert b"".join([chunk async for chunk in opened.chunks]) == registry.FILE
    assert (opened.mime, opened.size) == ("image/jpeg", len(registry.FILE))
    assert await AuditRecord.filter(action="registry.material_viewed", actor_id=OFFICER).count() == 1


async def test_a_material_of_another_case_or_district_is_not_there(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    other, _ = await registry.received(desk.needs)
    foreign = await RegistryMaterial.filter(case_id=other).first()
    assert foreign is not None
    with pytest.raises(errors.MaterialNotFound):
        await service.open_material(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, material_id=foreign.id)
    with pytest.raises(errors.CaseNotFound):
        await service.open_material(
            desk.needs, staff_id=OFFICER, scope=ELSEWHERE, case_id=other, material_id=foreign.id
        )
    assert not await AuditRecord.filter(action="registry.material_viewed").count()


async def test_a_live_query_is_answered_once_per_nonce(desk: registry.Desk) -> None:
    nonce = "a" * 32
    found = await service.answer_query(
        desk.needs, unit_code=registry.H1, certificate_number=registry.H1_NUMBER, nonce=nonce
    )
    assert found is not None
    assert [owner.name for owner in found.owners] == ["张明", "李静"]
    assert (found.version, found.area_centiare, found.usage_text, found.co_ownership) == (2, 8950, "住宅", "joint")
    assert not found.encumbered
    with pytest.raises(errors.QueryReplayed):
        await service.answer_query(
            desk.needs, unit_code=registry.H1, certificate_number=registry.H1_NUMBER, nonce=nonce
        )
    assert await AuditRecord.filter(action="registry.unit_queried", result="found").count() == 1


@pytest.mark.parametrize(
    ("unit_code", "number"),
    [(registry.H1, registry.H2_NUMBER), (registry.H2, registry.H1_NUMBER)],
)
async def test_what_does_not_belong_together_is_not_found(desk: registry.Desk, unit_code: str, number: str) -> None:
    found = await service.answer_query(desk.needs, unit_code=unit_code, certificate_number=number, nonce=new_id())
    assert found is None
    assert await AuditRecord.filter(action="registry.unit_queried", result="not_found").count() == 1


async def test_old_nonces_are_forgotten(desk: registry.Desk) -> None:
    await service.answer_query(desk.needs, unit_code=registry.H1, certificate_number="x", nonce="old")
    desk.clock.at += timedelta(hours=2)
    await service.answer_query(desk.needs, unit_code=registry.H1, certificate_number="x", nonce="new")
    assert await service.forget_nonces(desk.needs) == 1


async def test_seeding_again_changes_nothing_even_after_a_sale(desk: registry.Desk) -> None:
    first = await RegistryRight.get(state="current")
    await registry.entered(desk.needs)
    assert await registry.seed_h1(desk.needs) == first.id
    assert await RegistryUnit.all().count() == 1
    assert await RegistryRight.all().count() == 2


async def test_a_unit_without_a_right_is_no_seed(desk: registry.Desk) -> None:
    unit = await RegistryUnit.get(unit_code=registry.H1)
    await RegistryUnit.create(
        id=new_id(),
        unit_code=registry.H2,
        district="320105",
        location_sealed="x",
        usage="residential",
        land_nature="granted",
        created_at=unit.created_at,
        updated_at=unit.updated_at,
    )
    with pytest.raises(RuntimeError):
        await service.seed_unit(
            desk.needs, unit_code=registry.H2, location="x", held_since=unit.created_at.date(), owners=(registry.P1,)
        )
