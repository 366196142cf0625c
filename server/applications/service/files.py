"""Uploads: streamed to the file store first, then written down; nothing is kept of one that fails."""

from collections.abc import AsyncIterable, AsyncIterator

from kit.db import transactional
from kit.files.sniff import HEAD_BYTES, media_type, sniff
from kit.idempotency import RequestKey
from kit.ids import new_id
from kit.web.errors import WrongMediaType
from server.applications.errors import (
    ApplicationNotFound,
    FileEmpty,
    FileNotWhatItSays,
    MaterialUnknown,
    PartyUnknown,
    SharedNotRemovable,
    TooManyFiles,
)
from server.applications.models import Application, ApplicationMaterial, ApplicationParty
from server.applications.ports import Needs
from server.applications.requirements import MaterialLine, Requirements
from server.applications.rules import check_editable
from server.applications.service.rows import deed, lock_for, save
from server.applications.states import Origin, State


def scope_of(application_id: str) -> str:
    """Where an application's files lie in the file store."""
    return f"application/{application_id}"


async def attach_file(
    needs: Needs,
    *,
    application_id: str,
    resident_id: str,
    code: str,
    party_id: str | None,
    declared: str,
    chunks: AsyncIterable[bytes],
    key: RequestKey | None = None,
) -> str:
    """Keep one uploaded file and answer its id; the same content again for the same material is the same file.

    MATERIAL_UNKNOWN, PARTY_UNKNOWN, NOT_EDITABLE, WRONG_MEDIA_TYPE (a type the material does not take),
    FILE_NOT_WHAT_IT_SAYS (another content), FILE_EMPTY, FILE_TOO_LARGE, TOO_MANY_FILES.
    """
    line = await _expected(application_id, resident_id, code, party_id)
    mime = media_type(declared)
    if mime not in line.accepted_mime:
        raise WrongMediaType("这项材料不收这种文件，请上传照片（JPG、PNG），或者材料清单中注明可以上传的文件")
    scope = scope_of(application_id)
    stored = await needs.files.put(scope=scope, chunks=_sniffed(chunks, mime), limit=line.max_bytes)
    try:
        return await _write_down(
            needs,
            application_id=application_id,
            resident_id=resident_id,
            line=line,
            party_key=party_id or "",
            digest=stored.digest,
            size=stored.size,
            mime=mime,
            key=key,
        )
    except BaseException:
        await _forget(needs, application_id, stored.digest)
        raise


async def _expected(application_id: str, resident_id: str, code: str, party_id: str | None) -> MaterialLine:
    """What this upload must be like, looked up before a byte of it is read."""
    row = await Application.filter(id=application_id, parties__resident_id=resident_id).first()
    if row is None:
        raise ApplicationNotFound
    check_editable(State(row.state))
    line = Requirements.from_json(row.requirements).material(code)
    if line is None or line.form != "uploaded":
        raise MaterialUnknown
    if line.per_party != (party_id is not None):
        raise PartyUnknown
    if party_id and not await ApplicationParty.filter(id=party_id, application_id=application_id).exists():
        raise PartyUnknown
    return line


async def _sniffed(chunks: AsyncIterable[bytes], mime: str) -> AsyncIterator[bytes]:
    """Pass the content on once its beginning shows that it is what it says."""
    head = bytearray()
    seen = False
    async for chunk in chunks:
        if seen:
            yield chunk
            continue
        head += chunk
        if len(head) >= HEAD_BYTES:
            _check(bytes(head), mime)
            seen = True
            yield bytes(head)
    if not seen:
        _check(bytes(head), mime)
        yield bytes(head)


def _check(head: bytes, mime: str) -> None:
    if not head:
        raise FileEmpty
    if sniff(head) != mime:
        raise FileNotWhatItSays


@transactional
async def _write_down(
    needs: Needs,
    *,
    application_id: str,
    resident_id: str,
    line: MaterialLine,
    party_key: str,
    digest: str,
    size: int,
    mime: str,
    key: RequestKey | None,
) -> str:
    row, _ = await lock_for(application_id, resident_id)
    check_editable(State(row.state))
    there = await ApplicationMaterial.filter(application_id=row.id, code=line.code, party_key=party_key)
    file_id = next((file.id for file in there if file.digest == digest), None)
    if file_id is None:
        if sum(file.origin == Origin.UPLOAD for file in there) >= line.max_files:
            raise TooManyFiles
        file_id = new_id()
        await ApplicationMaterial.create(
            id=file_id,
            application_id=row.id,
            code=line.code,
            party_key=party_key,
            digest=digest,
            mime=mime,
            size=size,
            uploaded_by=resident_id,
            created_at=needs.clock.now(),
        )
        await save(needs, row)
        await deed(needs, row, by=resident_id, action="file_attached", file=file_id, material=line.code)
    if key is not None:
        await key.settle(result_id=file_id, status=201)
    return file_id


async def remove_file(needs: Needs, *, application_id: str, resident_id: str, code: str, file_id: str) -> None:
    """Take a file out of a draft, and its content out of the store.

    MATERIAL_UNKNOWN, NOT_EDITABLE, SHARED_NOT_REMOVABLE.
    """
    digest = await _strike_out(
        needs, application_id=application_id, resident_id=resident_id, code=code, file_id=file_id
    )
    await _forget(needs, application_id, digest)


@transactional
async def _strike_out(needs: Needs, *, application_id: str, resident_id: str, code: str, file_id: str) -> str:
    row, _ = await lock_for(application_id, resident_id)
    check_editable(State(row.state))
    file = await ApplicationMaterial.filter(id=file_id, application_id=row.id).first()
    if file is None or file.code != code:
        raise MaterialUnknown
    if file.origin == Origin.SHARED:
        raise SharedNotRemovable
    await file.delete()
    await save(needs, row)
    await deed(needs, row, by=resident_id, action="file_removed", file=file_id, material=code)
    return file.digest


async def _forget(needs: Needs, application_id: str, digest: str) -> None:
    """Delete content that no file of the application has any more; the same page may serve two materials."""
    if not await ApplicationMaterial.filter(application_id=application_id, digest=digest).exists():
        await needs.files.delete(scope_of(application_id), digest)
