from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit.db import transactional
from kit.files.sniff import sniff
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.applications import statement as statements
from server.applications.errors import AlreadyConfirmed, InquiryNotAnswered, SignatureInvalid, StatementChanged
from server.applications.events import PartyRefused
from server.applications.loading import ANSWERS, NOTICE, SIGNATURE, STATEMENT, load
from server.applications.models import Application, ApplicationConfirmation
from server.applications.ports import Needs
from server.applications.records import ApplicationRecord, PartyRecord
from server.applications.rules import check_answers, check_awaiting, check_free, questions_for
from server.applications.service.claim import claim_units
from server.applications.service.rows import deed, lock_for, mine, release_claims, save, step
from server.applications.states import PartyState, State

SIGNATURE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Shown:
    """What a party is about to confirm, and the digest that their face check must be opened for."""

    statement: dict[str, Any]
    text: str
    digest: str


@transactional
async def answer_inquiry(needs: Needs, *, application_id: str, resident_id: str, answers: Mapping[str, str]) -> Shown:
    """Keep a party's answers and show what they will confirm; INQUIRY_INCOMPLETE, NOT_AWAITING_CONFIRMATION."""
    row, _ = await lock_for(application_id, resident_id)
    check_awaiting(State(row.state))
    record, party = await _mine(needs, row, resident_id)
    _check_waiting(party.state)
    check_answers(questions_for(record.requirements, [role.role for role in party.roles]), answers)
    shown = show(record, party, answers)
    known = await ApplicationConfirmation.filter(party_id=party.id).first()
    identifier = known.id if known else new_id()
    sealed = needs.cipher.seal_json(dict(answers), (ANSWERS, identifier))
    if known:
        known.answers_sealed, known.digest = sealed, shown.digest
        await known.save(update_fields=["answers_sealed", "digest"])
    else:
        await ApplicationConfirmation.create(
            id=identifier, application_id=row.id, party_id=party.id, answers_sealed=sealed, digest=shown.digest
        )
    return shown


def show(record: ApplicationRecord, party: PartyRecord, answers: Mapping[str, str]) -> Shown:
    statement = statements.build(record, party, answers)
    return Shown(statement, statements.readable(statement), statements.digest(statement))


async def _mine(needs: Needs, row: Application, resident_id: str) -> tuple[ApplicationRecord, PartyRecord]:
    record = await load(needs.cipher, row)
    return record, next(party for party in record.parties if party.resident_id == resident_id)


def _check_waiting(state: PartyState) -> None:
    if state is PartyState.CONFIRMED:
        raise AlreadyConfirmed


@transactional
async def confirm(
    needs: Needs,
    *,
    application_id: str,
    resident_id: str,
    digest: str,
    face_check_id: str,
    signature: bytes,
    key: RequestKey | None = None,
) -> str:
    """Record that a party confirmed exactly what `digest` is of; the face check has been consumed for it.

    The last registered owner's confirmation claims the unit. NOT_AWAITING_CONFIRMATION, ALREADY_CONFIRMED,
    INQUIRY_NOT_ANSWERED, STATEMENT_CHANGED, SIGNATURE_INVALID, UNIT_CLAIMED.
    """
    row, parties = await lock_for(application_id, resident_id)
    check_awaiting(State(row.state))
    record, party = await _mine(needs, row, resident_id)
    _check_waiting(party.state)
    check_signature(signature)
    kept, shown = await _kept(needs, record, party)
    if shown.digest != digest:
        raise StatementChanged
    now = needs.clock.now()
    kept.digest = digest
    kept.statement_sealed = needs.cipher.seal_json(shown.statement, (STATEMENT, kept.id))
    kept.signature_sealed = needs.cipher.seal_bytes(signature, (SIGNATURE, kept.id))
    kept.face_check_id = face_check_id
    kept.confirmed_at = now
    await kept.save()
    me = mine(parties, resident_id)
    me.state = PartyState.CONFIRMED
    await me.save(update_fields=["state"])
    if me.registered_owner and all(each.state == PartyState.CONFIRMED for each in parties if each.registered_owner):
        await claim_units(needs, row, record.requirements, resident_id=resident_id)
    await save(needs, row)
    await deed(needs, row, by=resident_id, action="confirmed", digest=digest, face_check=face_check_id)
    if key is not None:
        await key.settle(result_id=row.id, status=201)
    return row.id


def check_signature(signature: bytes) -> None:
    """A drawn signature arrives as a PNG of at most 512 KiB."""
    if sniff(signature) != "image/png" or len(signature) > SIGNATURE_BYTES:
        raise SignatureInvalid


async def _kept(needs: Needs, record: ApplicationRecord, party: PartyRecord) -> tuple[ApplicationConfirmation, Shown]:
    kept = await ApplicationConfirmation.filter(party_id=party.id).first()
    if kept is None:
        raise InquiryNotAnswered
    answers = needs.cipher.open_json(kept.answers_sealed, (ANSWERS, kept.id))
    return kept, show(record, party, answers)


@transactional
async def refuse(
    needs: Needs, *, application_id: str, resident_id: str, reason: str, key: RequestKey | None = None
) -> str:
    """A party does not agree: the application ends and nothing stays claimed; NOT_AWAITING_CONFIRMATION."""
    row, parties = await lock_for(application_id, resident_id)
    check_awaiting(State(row.state))
    check_free(row.hold)
    me = mine(parties, resident_id)
    me.state = PartyState.REFUSED
    await me.save(update_fields=["state"])
    row.state = State.PARTY_REFUSED
    row.expires_at = None
    notice = {"party": me.position, "reason": reason}
    row.notice_sealed = needs.cipher.seal_json(notice, (NOTICE, row.id))
    await release_claims(row.id)
    await save(needs, row, "state", "expires_at", "notice_sealed")
    await step(row, code="party_refused", name="有一方未同意，申请终止", at=needs.clock.now())
    await deed(needs, row, by=resident_id, action="refused")
    await needs.outbox.publish(PartyRefused(row.id))
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id
