from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.errors import Problem
from kit.files.errors import FileTooLarge
from kit.idempotency import RequestKey, once
from kit.ids import new_id
from kit.web.errors import WrongMediaType
from server.applications import errors, queries, service
from server.applications.records import ApplicationRecord
from server.applications.service.files import scope_of
from tests.factories import applications as make
from tests.factories.applications import JPEG, PDF, Case, World


async def _record(city: World, case: Case) -> ApplicationRecord:
    return await queries.full(city.needs, application_id=case.id)


def _on_disk(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_a_file_is_kept_sealed_under_its_digest(city: World, tmp_path: Path):
    case = await make.draft(city)
    file_id = await make.attach(city, case, "M08", content=PDF, declared="application/pdf")
    (file,) = (await _record(city, case)).files
    assert (file.id, file.code, file.mime, file.size) == (file_id, "M08", "application/pdf", len(PDF))
    assert await city.files.read(scope=scope_of(case.id), digest=file.digest, limit=100) == PDF
    (path,) = _on_disk(tmp_path)
    assert b"contract" not in path.read_bytes()
    found = await queries.file_of(
        city.needs, application_id=case.id, file_id=file_id, resident_id=case.buyer.resident_id
    )
    assert found == file
    with pytest.raises(errors.ApplicationNotFound):
        await queries.file_of(city.needs, application_id=case.id, file_id=file_id, resident_id=new_id())


async def test_what_streams_in_small_pieces_is_sniffed_and_kept_whole(city: World):
    case = await make.draft(city)
    content = JPEG + b"x" * 9000
    pieces = make.chunks(*(content[start : start + 700] for start in range(0, len(content), 700)))
    await service.attach_file(
        city.needs,
        application_id=case.id,
        resident_id=case.opener.resident_id,
        code="M07",
        party_id=None,
        declared="image/jpeg; charset=binary",
        chunks=pieces,
    )
    (file,) = (await _record(city, case)).files
    assert await city.files.read(scope=scope_of(case.id), digest=file.digest, limit=20_000) == content


async def test_the_same_content_again_is_the_same_file(city: World):
    case = await make.draft(city)

    async def upload(key: RequestKey) -> str:
        return await make.attach(city, case, "M07", key=key)

    first = await once(make.request_key("upload-1", clock=city.clock), upload, status=201)
    second = await once(make.request_key("upload-2", clock=city.clock), upload, status=201)
    assert first.result_id == second.result_id
    assert len((await _record(city, case)).files) == 1


async def test_each_party_brings_their_own(city: World):
    case = await make.draft(city)
    record = await _record(city, case)
    for party in record.parties:
        await make.attach(city, case, "M02", party_id=party.id, by=case.buyer)
    assert {file.party_id for file in (await _record(city, case)).files} == {party.id for party in record.parties}


@pytest.mark.parametrize(
    ("content", "declared", "refusal"),
    [
        (b"", "image/jpeg", errors.FileEmpty),
        (b"MZ not a picture", "image/jpeg", errors.FileNotWhatItSays),
        (PDF, "image/jpeg", errors.FileNotWhatItSays),
        (JPEG + b"x" * 5000, "image/png", errors.FileNotWhatItSays),
        (JPEG, "image/gif", WrongMediaType),
        (JPEG, "", WrongMediaType),
        (JPEG + bytes(21 * 1024 * 1024), "image/jpeg", FileTooLarge),
    ],
)
async def test_what_is_refused_leaves_nothing(
    city: World, tmp_path: Path, content: bytes, declared: str, refusal: type[Problem]
):
    case = await make.draft(city)
    with pytest.raises(refusal):
        await make.attach(city, case, "M07", content=content, declared=declared)
    assert (await _record(city, case)).files == ()
    assert _on_disk(tmp_path) == []


async def test_materials_nobody_uploads_and_strangers_parties_are_unknown(city: World):
    case, other = await make.draft(city), await make.draft(city)
    stranger = (await _record(city, other)).parties[0].id
    mine = (await _record(city, case)).parties[0].id
    for code, party_id, refusal in (
        ("M01", None, errors.MaterialUnknown),
        ("M99", None, errors.MaterialUnknown),
        ("M02", None, errors.PartyUnknown),
        ("M02", stranger, errors.PartyUnknown),
        ("M07", mine, errors.PartyUnknown),
    ):
        with pytest.raises(refusal):
            await make.attach(city, case, code, party_id=party_id)
    with pytest.raises(errors.ApplicationNotFound):
        await make.attach(city, case, "M07", by=make.people()[3])


async def test_a_material_has_room_for_so_many_files(city: World, tmp_path: Path):
    case = await make.draft(city)
    mine = (await _record(city, case)).parties[0].id
    for number in range(4):
        await make.attach(city, case, "M02", content=JPEG + bytes([number]), party_id=mine)
    with pytest.raises(errors.TooManyFiles):
        await make.attach(city, case, "M02", content=JPEG + b"one more", party_id=mine)
    assert len(_on_disk(tmp_path)) == 4


async def test_a_draft_that_closes_while_a_file_streams_in_does_not_take_it(city: World, tmp_path: Path):
    case = await make.ready(city)
    before = len(_on_disk(tmp_path))

    async def slowly() -> AsyncIterator[bytes]:
        yield JPEG + b"late"
        await service.request_confirmation(city.needs, application_id=case.id, resident_id=case.buyer.resident_id)

    with pytest.raises(errors.NotEditable):
        await service.attach_file(
            city.needs,
            application_id=case.id,
            resident_id=case.opener.resident_id,
            code="M07",
            party_id=None,
            declared="image/jpeg",
            chunks=slowly(),
        )
    assert len(_on_disk(tmp_path)) == before


async def test_a_phone_that_hangs_up_leaves_nothing(city: World, tmp_path: Path):
    case = await make.draft(city)

    async def broken() -> AsyncIterator[bytes]:
        yield JPEG + b"x" * 5000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await service.attach_file(
            city.needs,
            application_id=case.id,
            resident_id=case.opener.resident_id,
            code="M07",
            party_id=None,
            declared="image/jpeg",
            chunks=broken(),
        )
    assert _on_disk(tmp_path) == []


async def test_removing_takes_the_content_unless_another_material_has_it_too(city: World, tmp_path: Path):
    case = await make.draft(city)
    first, second = await make.attach(city, case, "M07"), await make.attach(city, case, "M08")
    who = {"application_id": case.id, "resident_id": case.buyer.resident_id}
    await service.remove_file(city.needs, **who, code="M07", file_id=first)
    assert len(_on_disk(tmp_path)) == 1
    with pytest.raises(errors.MaterialUnknown):
        await service.remove_file(city.needs, **who, code="M07", file_id=second)
    with pytest.raises(errors.MaterialUnknown):
        await service.remove_file(city.needs, **who, code="M" * 100, file_id=second)
    await service.remove_file(city.needs, **who, code="M08", file_id=second)
    assert _on_disk(tmp_path) == []


async def test_nothing_is_removed_from_what_was_asked_to_be_confirmed(city: World):
    case = await make.asked(city)
    file = (await _record(city, case)).files[0]
    with pytest.raises(errors.NotEditable):
        await service.remove_file(
            city.needs,
            application_id=case.id,
            resident_id=case.opener.resident_id,
            code=file.code,
            file_id=file.id,
        )
