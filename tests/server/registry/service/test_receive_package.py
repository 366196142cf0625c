from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from kit.ids import new_id
from server.registry import service
from server.registry.errors import CaseNotHereYet, MaterialsNotHereYet
from server.registry.models import (
    RegistryCase,
    RegistryCaseEntry,
    RegistryDecision,
    RegistryMaterial,
    RegistryTrack,
)
from server.registry.sealed import parties_of
from tests.factories import registry


async def test_a_package_becomes_a_case_with_entries_materials_and_tracks(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    case = await RegistryCase.get(id=case_id)
    assert (case.state, case.district, case.version, case.case_number) == ("received", "320114", 1, None)
    entry = await RegistryCaseEntry.get(case_id=case_id)
    assert [party.name for party in parties_of(desk.needs.cipher, entry)] == ["张明", "李静", "王强"]
    assert "张明" not in entry.parties_sealed
    materials = await RegistryMaterial.filter(case_id=case_id).order_by("position")
    assert [(material.code, material.party_position) for material in materials] == [
        ("M08", None),
        ("M02", 1),
        ("M02", 2),
    ]
    assert materials[1].name != "M02"
    tracks = await RegistryTrack.filter(case_id=case_id).order_by("position")
    assert [(track.code, track.state) for track in tracks] == [
        ("review", "not_started"),
        ("tax", "not_started"),
        ("fee", "not_started"),
    ]


async def test_the_same_package_twice_is_one_case(desk: registry.Desk) -> None:
    application_id = new_id()
    digest = await registry.put_file(desk.needs, application_id)
    message = registry.up("case_package", application_id, registry.package(application_id, digest))
    await service.receive_package(desk.needs, message=message)
    await service.receive_package(desk.needs, message=message)
    assert await RegistryCase.all().count() == 1
    assert await RegistryMaterial.all().count() == 3


async def test_a_package_waits_for_its_files(desk: registry.Desk) -> None:
    application_id = new_id()
    body = registry.package(application_id, "b" * 64)
    with pytest.raises(MaterialsNotHereYet):
        await service.receive_package(desk.needs, message=registry.up("case_package", application_id, body))
    assert not await RegistryCase.exists(application_id=application_id)


async def test_a_correction_of_no_case_waits(desk: registry.Desk) -> None:
    application_id = new_id()
    body = registry.package(application_id, "b" * 64, materials=[])
    with pytest.raises(CaseNotHereYet):
        await service.receive_package(desk.needs, message=registry.up("correction", application_id, body))


@pytest.mark.parametrize("kind", ["case_package", "correction"])
async def test_what_answers_a_correction_replaces_the_package(desk: registry.Desk, kind: str) -> None:
    case_id, application_id = await registry.received(desk.needs)
    await _ask(desk, case_id)
    digest = await registry.put_file(desk.needs, application_id, b"a better scan")
    body = registry.package(application_id, digest, submitted_at="2026-03-17T10:00:00+08:00", price_fen=100)
    await service.receive_package(desk.needs, message=registry.up(kind, application_id, body))
    case = await RegistryCase.get(id=case_id)
    assert (case.state, case.price_fen, case.version) == ("received", 100, 3)
    assert {material.digest for material in await RegistryMaterial.filter(case_id=case_id)} == {digest}
    assert await RegistryDecision.filter(case_id=case_id, kind="correction").count() == 1


async def test_an_old_package_does_not_answer_a_correction(desk: registry.Desk) -> None:
    case_id, application_id = await registry.received(desk.needs)
    await _ask(desk, case_id)
    digest = await registry.put_file(desk.needs, application_id)
    body = registry.package(application_id, digest)
    await service.receive_package(desk.needs, message=registry.up("case_package", application_id, body))
    assert (await RegistryCase.get(id=case_id)).state == "correction_asked"


async def test_a_case_made_by_another_worker_meanwhile_is_no_error(
    desk: registry.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, application_id = await registry.received(desk.needs)

    async def taken(*_: Any, **__: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(import_module("server.registry.service.receive_package"), "_store", taken)
    digest = await registry.put_file(desk.needs, application_id)
    message = registry.up("case_package", application_id, registry.package(application_id, digest))
    await service.receive_package(desk.needs, message=message)
    other = new_id()
    message = registry.up("case_package", other, registry.package(other, digest, materials=[]))
    with pytest.raises(IntegrityError):
        await service.receive_package(desk.needs, message=message)


async def _ask(desk: registry.Desk, case_id: str) -> None:
    desk.clock.at += timedelta(hours=1)
    await service.ask_correction(
        desk.needs,
        staff_id=registry.OFFICER,
        scope=registry.HERE,
        case_id=case_id,
        items=["合同缺页"],
        deadline_days=15,
    )
