import asyncio
import hashlib
import time
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.allowance.service import take
from kit.audit.service import Actor
from kit.audit.service import record as record_deed
from kit.db import transactional
from kit.errors import OutsideError
from kit.ids import new_id
from kit.log import get_logger
from server.sharing.errors import AskedAboutTooMany
from server.sharing.models import SharingCall, SharingEvidence
from server.sharing.ports import Answer, Needs, Question
from server.sharing.rules import ASKED_WITHIN, MOST_PEOPLE, Result, replaces
from server.terms.evidence import VERSION, Evidence, EvidenceKind
from server.terms.id_document import ID_NUMBER_INDEX

CONTENT = "sharing_evidence.content_sealed"
PEOPLE = "sharing.people"
"""The allowance of people whom one resident has asked about."""
LONGEST_ERROR = 64
_ASK_AGAIN_SECONDS = 3600
log = get_logger("sharing")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a question is about: a party of an application, with the number's blind index and mask."""

    application_id: str
    party_id: str
    name: str
    id_number: str
    id_number_masked: str


@dataclass(frozen=True, slots=True)
class From:
    """The source asked, in the catalogue's words, and with what right."""

    source: str
    source_text: str
    kind: EvidenceKind
    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was put, or could not be; `error` is the outside error's code."""

    subject: Subject
    source: From
    request_no: str
    asked_at: datetime
    milliseconds: int
    answer: Answer | None
    error: str = ""

    @property
    def result(self) -> Result:
        return self.answer.result if self.answer else Result.UNAVAILABLE


@transactional
async def count_people(needs: Needs, *, asked_by: str, id_numbers: Collection[str]) -> None:
    """Count the people whom a resident is about to have asked about, each once within a day.

    ASKED_ABOUT_TOO_MANY, and nobody is counted, when they would be more than one resident may have asked about.
    """
    if not id_numbers:
        return
    wanted = {needs.cipher.blind(each, purpose=ID_NUMBER_INDEX) for each in id_numbers}
    now = needs.clock.now()
    if not await take(kind=PEOPLE, owner=asked_by, subjects=wanted, most=MOST_PEOPLE, within=ASKED_WITHIN, now=now):
        raise AskedAboutTooMany(retry_after=_ASK_AGAIN_SECONDS)


async def ask(needs: Needs, *, subject: Subject, source: From, deadline: float | None = None) -> Asked:
    """Put one question; a source that is down, slow or refuses is a result here, not an error.

    `deadline` in the running loop's time cuts the waiting short.
    """
    request_no, asked_at, started = new_id(), needs.clock.now(), time.monotonic()
    question = Question(request_no, subject.name, subject.id_number, source.purpose, source.legal_basis)
    answer, error = None, ""
    try:
        async with asyncio.timeout_at(deadline):
            answer = await needs.guard(source.kind).ask(lambda: _put(needs, source.kind, question))
    except OutsideError as down:
        error = down.code
        log.warning("source_unavailable", source=source.source, error=down.code)
    except TimeoutError:
        error = "DEADLINE"
        log.warning("source_unavailable", source=source.source, error=error)
    milliseconds = round((time.monotonic() - started) * 1000)
    return Asked(subject, source, request_no, asked_at, milliseconds, answer, error[:LONGEST_ERROR])


def _put(needs: Needs, kind: EvidenceKind, question: Question) -> Awaitable[Answer]:
    match kind:
        case EvidenceKind.MARRIAGE:
            return needs.lookup.marriage(question)
        case EvidenceKind.HOUSEHOLD:
            return needs.identity.household(question)


async def record_answer(needs: Needs, *, asked_by: str, asked: Asked) -> str:
    """Write down that it was asked, and what is known now; answers the evidence's id.

    What was found before stays as it is. Two who ask at once have one evidence.
    """
    try:
        return await _record(needs, asked_by=asked_by, asked=asked)
    except IntegrityError:
        return await _record(needs, asked_by=asked_by, asked=asked)


@transactional
async def _record(needs: Needs, *, asked_by: str, asked: Asked) -> str:
    subject, source = asked.subject, asked.source
    blind = needs.cipher.blind(subject.id_number, purpose=ID_NUMBER_INDEX)
    await _log_call(needs, asked_by=asked_by, asked=asked, blind=blind)
    row = (
        await SharingEvidence.filter(
            application_id=subject.application_id, party_id=subject.party_id, source=source.source
        )
        .select_for_update()
        .first()
    )
    if row is not None and not replaces(asked.result, Result(row.result)):
        return str(row.id)
    fresh = row is None
    if row is None:
        row = SharingEvidence(
            id=new_id(),
            application_id=subject.application_id,
            party_id=subject.party_id,
            subject_blind=blind,
            source=source.source,
            kind=source.kind,
        )
    _fill(needs, row, asked)
    await row.save(force_create=fresh, force_update=not fresh)
    return str(row.id)


async def _log_call(needs: Needs, *, asked_by: str, asked: Asked, blind: str) -> None:
    """Once for the assessor's log of inter-department calls, once in the chained audit trail."""
    source = asked.source
    await SharingCall.create(
        id=new_id(),
        application_id=asked.subject.application_id,
        asked_by=asked_by,
        subject_blind=blind,
        source=source.source,
        purpose=source.purpose,
        legal_basis=source.legal_basis,
        request_no=asked.request_no,
        result=asked.result,
        error=asked.error,
        milliseconds=asked.milliseconds,
        called_at=asked.asked_at,
    )
    await record_deed(
        actor=Actor("resident", asked_by),
        action="sharing.asked",
        subject=("application", asked.subject.application_id),
        result=asked.result.value,
        details={"party": asked.subject.party_id, "source": source.source, "request": asked.request_no},
        at=needs.clock.now(),
    )


def _fill(needs: Needs, row: SharingEvidence, asked: Asked) -> None:
    answer = asked.answer
    row.purpose, row.legal_basis = asked.source.purpose, asked.source.legal_basis
    row.request_no, row.result = asked.request_no, asked.result
    row.asked_at, row.answered_at = asked.asked_at, answer.answered_at if answer else None
    row.format_version = VERSION
    row.content_sealed = row.digest = None
    if answer is not None and answer.content is not None:
        document = _document(asked, answer).to_bytes()
        row.content_sealed = needs.cipher.seal(document.decode(), (CONTENT, row.id))
        row.digest = hashlib.sha256(document).hexdigest()


def _document(asked: Asked, answer: Answer) -> Evidence:
    if answer.content is None:
        raise ValueError("nothing was found")
    return Evidence(
        kind=asked.source.kind,
        source=asked.source.source,
        source_text=asked.source.source_text,
        purpose=asked.source.purpose,
        legal_basis=asked.source.legal_basis,
        request_no=asked.request_no,
        answer_no=answer.answer_no,
        asked_at=asked.asked_at,
        answered_at=answer.answered_at,
        subject_name=asked.subject.name,
        subject_id_number_masked=asked.subject.id_number_masked,
        content=answer.content,
        answer_digest=answer.digest,
    )
