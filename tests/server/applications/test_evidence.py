import pytest

from kit.idempotency import once
from kit.ids import new_id
from server.applications import errors, queries, service
from server.applications.models import ApplicationMaterial
from server.applications.records import ApplicationRecord
from server.applications.service import NewEvidence
from server.applications.service.files import scope_of
from server.applications.statement import build, readable
from server.applications.states import Origin, State
from tests.factories import applications as make
from tests.factories.applications import Case, World

DOCUMENT = '{"content":"已婚"}'.encode()


async def _record(city: World, case: Case) -> ApplicationRecord:
    return await queries.full(city.needs, application_id=case.id)


async def _evidence(city: World, case: Case, code: str) -> list[NewEvidence]:
    """One document about each party the material concerns."""
    record = await _record(city, case)
    line = record.requirements.material(code)
    assert line is not None
    assert line.source_code is not None
    return [
        NewEvidence(new_id(), code, record.parties[place].id, line.source_code, DOCUMENT + bytes(f"{place}", "ascii"))
        for place in line.source_parties
    ]


async def attach(city: World, case: Case, evidence: list[NewEvidence]) -> str:
    return await service.attach_evidence(
        city.needs, application_id=case.id, resident_id=case.opener.resident_id, evidence=evidence
    )


async def test_whom_each_source_is_asked_about_is_fixed_with_the_application(city: World):
    case = await make.draft(city)
    lines = {line.code: line for line in (await _record(city, case)).requirements.materials}
    assert (lines["M10"].source_code, lines["M10"].source_parties) == ("civil_affairs_marriage", (0, 1, 2))
    assert (lines["M10H"].source_code, lines["M10H"].source_parties) == ("police_household", (2,))
    assert (lines["M07"].source_code, lines["M06"].source_code) == (None, None)


async def test_evidence_stands_beside_uploads_and_is_attached_once(city: World):
    case = await make.draft(city)
    uploaded = await make.attach(city, case, "M10H")
    evidence = await _evidence(city, case, "M10H")
    key = make.request_key("share-0001", clock=city.clock)
    before = (await _record(city, case)).version
    done = await once(
        key,
        lambda key: service.attach_evidence(
            city.needs, application_id=case.id, resident_id=case.opener.resident_id, evidence=evidence, key=key
        ),
        status=200,
        calls_outside=True,
    )
    assert done.result_id == case.id
    assert await attach(city, case, evidence) == case.id
    record = await _record(city, case)
    assert record.version == before + 1
    shared = [file for file in record.files if file.shared]
    assert [file.id for file in record.files if not file.shared] == [uploaded]
    assert [(file.code, file.party_id, file.mime, file.source, file.evidence_id) for file in shared] == [
        ("M10H", evidence[0].party_id, "application/json", "police_household", evidence[0].evidence_id)
    ]
    kept = await city.files.read(scope=scope_of(case.id), digest=shared[0].digest, limit=1000)
    assert kept == evidence[0].content


async def test_a_material_is_there_once_everybody_concerned_is(city: World):
    case = await make.ready(city)
    await ApplicationMaterial.filter(application_id=case.id, code="M10").delete()
    evidence = await _evidence(city, case, "M10")
    await attach(city, case, evidence[:2])
    with pytest.raises(errors.MaterialsMissing) as missing:
        await service.request_confirmation(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    assert [each.field for each in missing.value.errors] == ["materials.M10"]
    await attach(city, case, evidence)
    await service.request_confirmation(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    for person in case.all:
        await make.confirm(city, case, person)
    await service.submit(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    assert (await _record(city, case)).state is State.SUBMITTED


async def test_lost_evidence_is_no_evidence_and_attaching_again_heals_it(city: World):
    case = await make.ready(city)
    await ApplicationMaterial.filter(application_id=case.id, code="M10H").delete()
    evidence = await _evidence(city, case, "M10H")
    await attach(city, case, evidence)
    row = await ApplicationMaterial.get(application_id=case.id, origin=Origin.SHARED)
    await city.files.delete(scope_of(case.id), row.digest)
    with pytest.raises(errors.MaterialsMissing):
        await service.request_confirmation(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    await attach(city, case, evidence)
    await service.request_confirmation(city.needs, application_id=case.id, resident_id=case.opener.resident_id)


async def test_only_a_draft_takes_evidence_and_only_for_its_own_people(city: World):
    draft = await make.draft(city)
    evidence = await _evidence(city, draft, "M10H")
    with pytest.raises(errors.ApplicationNotFound):
        await service.attach_evidence(
            city.needs, application_id=draft.id, resident_id=make.people()[3].resident_id, evidence=evidence
        )
    other = await make.asked(city)
    with pytest.raises(errors.NotEditable):
        await attach(city, other, await _evidence(city, other, "M10H"))
    with pytest.raises(ValueError, match="no party"):
        await attach(city, await make.draft(city), evidence)
    assert await ApplicationMaterial.filter(origin=Origin.SHARED).count() == 0


async def test_shared_files_take_no_room_and_are_not_removed(city: World):
    case = await make.draft(city)
    await attach(city, case, await _evidence(city, case, "M10"))
    record = await _record(city, case)
    line = record.requirements.material("M10")
    assert line is not None
    for number in range(line.max_files):
        await make.attach(city, case, "M10", content=make.JPEG + bytes([number]))
    with pytest.raises(errors.TooManyFiles):
        await make.attach(city, case, "M10", content=make.JPEG + b"one more")
    shared = next(file for file in record.files if file.shared)
    with pytest.raises(errors.SharedNotRemovable):
        await service.remove_file(
            city.needs,
            application_id=case.id,
            resident_id=case.opener.resident_id,
            code="M10",
            file_id=shared.id,
        )


async def test_the_statement_names_shared_files_without_their_size(city: World):
    case = await make.draft(city)
    await attach(city, case, await _evidence(city, case, "M10H"))
    record = await _record(city, case)
    seller = record.parties[0]
    answers = await make.answers(city, case, case.opener)
    statement = build(record, seller, answers)
    (line,) = statement["materials"]
    assert (line["code"], line["source"], "size" in line) == ("M10H", "police_household", False)
    assert "家庭成员户口簿（王强）（部门共享）：1份文件" in readable(statement)
