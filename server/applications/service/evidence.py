"""What a department shared, attached to a draft beside what its parties uploaded."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.applications.models import ApplicationMaterial, ApplicationParty
from server.applications.ports import Needs
from server.applications.rules import check_editable
from server.applications.service.files import scope_of
from server.applications.service.rows import deed, lock_for, save
from server.applications.states import Origin, State
from server.terms.evidence import MIME

LARGEST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """A department's document for a material, about one party; `content` in clear."""

    evidence_id: str
    code: str
    party_id: str
    source: str
    content: bytes


async def attach_evidence(
    needs: Needs,
    *,
    application_id: str,
    resident_id: str,
    evidence: Sequence[NewEvidence],
    key: RequestKey | None = None,
) -> str:
    """Attach what is not attached yet; what was uploaded stays beside it. APPLICATION_NOT_FOUND, NOT_EDITABLE.

    Answers the application's id.
    """
    stored = [(each, await _keep(needs, application_id, each.content)) for each in evidence]
    return await _write_down(needs, application_id=application_id, resident_id=resident_id, stored=stored, key=key)


async def _keep(needs: Needs, application_id: str, content: bytes) -> str:
    async def whole() -> AsyncIterator[bytes]:
        yield content

    kept = await needs.files.put(scope=scope_of(application_id), chunks=whole(), limit=LARGEST_BYTES)
    return kept.digest


@transactional
async def _write_down(
    needs: Needs,
    *,
    application_id: str,
    resident_id: str,
    stored: Sequence[tuple[NewEvidence, str]],
    key: RequestKey | None,
) -> str:
    row, parties = await lock_for(application_id, resident_id)
    check_editable(State(row.state))
    there = await ApplicationMaterial.filter(application_id=row.id, origin=Origin.SHARED).values_list(
        "evidence_id", "code"
    )
    fresh = [(each, digest) for each, digest in stored if (each.evidence_id, each.code) not in set(there)]
    for each, digest in fresh:
        await _create(needs, row.id, each, digest, resident_id=resident_id, parties=parties)
    if fresh:
        await save(needs, row)
        sources = sorted({each.source for each, _ in fresh})
        await deed(needs, row, by=resident_id, action="evidence_attached", sources=sources, files=len(fresh))
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id


async def _create(
    needs: Needs,
    application_id: str,
    each: NewEvidence,
    digest: str,
    *,
    resident_id: str,
    parties: Sequence[ApplicationParty],
) -> None:
    if each.party_id not in {party.id for party in parties}:
        raise ValueError("evidence about somebody who is no party")
    await ApplicationMaterial.create(
        id=new_id(),
        application_id=application_id,
        code=each.code,
        party_key=each.party_id,
        digest=digest,
        mime=MIME,
        size=len(each.content),
        uploaded_by=resident_id,
        origin=Origin.SHARED,
        source=each.source,
        evidence_id=each.evidence_id,
        created_at=needs.clock.now(),
    )
