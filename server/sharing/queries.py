from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.sharing.errors import EvidenceNotFound
from server.sharing.models import SharingEvidence
from server.sharing.ports import Needs
from server.sharing.rules import Result
from server.sharing.service import CONTENT
from server.terms.evidence import Evidence


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """Where a question about a party stands; nothing of what was answered."""

    id: str
    party_id: str
    source: str
    result: Result
    purpose: str
    legal_basis: str
    asked_at: datetime
    answered_at: datetime | None


async def lines(needs: Needs, *, application_ids: Sequence[str]) -> dict[str, tuple[EvidenceLine, ...]]:
    """Of each application, what was asked so far."""
    found: dict[str, tuple[EvidenceLine, ...]] = defaultdict(tuple)
    for row in await SharingEvidence.filter(application_id__in=list(application_ids)).order_by("id"):
        found[row.application_id] += (_line(row),)
    return found


def _line(row: SharingEvidence) -> EvidenceLine:
    return EvidenceLine(
        id=row.id,
        party_id=row.party_id,
        source=row.source,
        result=Result(row.result),
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A department's document about a party; `content` in clear."""

    id: str
    party_id: str
    source: str
    content: bytes


async def found(needs: Needs, *, application_id: str) -> list[Found]:
    """What the departments have found for an application; for journeys, never for an answer to a phone."""
    rows = await SharingEvidence.filter(application_id=application_id, result=Result.FOUND).order_by("id")
    return [
        Found(row.id, row.party_id, row.source, needs.cipher.open(row.content_sealed, (CONTENT, row.id)).encode())
        for row in rows
        if row.content_sealed is not None
    ]


async def own(needs: Needs, *, application_id: str, evidence_id: str, subject_blind: str) -> Evidence:
    """The document about the person of this ID number; EVIDENCE_NOT_FOUND for anybody else's."""
    row = await SharingEvidence.filter(
        id=evidence_id, application_id=application_id, subject_blind=subject_blind, result=Result.FOUND
    ).first()
    if row is None or row.content_sealed is None:
        raise EvidenceNotFound
    return Evidence.from_bytes(needs.cipher.open(row.content_sealed, (CONTENT, row.id)).encode())
