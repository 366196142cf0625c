from datetime import timedelta

from kit.db import transactional
from kit.idempotency import RequestKey
from server.applications.events import ConfirmationRequested
from server.applications.loading import load
from server.applications.models import ApplicationConfirmation, ApplicationMaterial, ApplicationParty
from server.applications.ports import Needs
from server.applications.rules import (
    DRAFT_LASTS,
    check_editable,
    check_free,
    check_materials,
    check_reopenable,
    filled_slots,
    missing_materials,
)
from server.applications.service.files import scope_of
from server.applications.service.rows import deed, lock_for, release_claims, save, step
from server.applications.states import PartyState, State
from server.terms.person_name import PersonName


async def request_confirmation(
    needs: Needs, *, application_id: str, resident_id: str, key: RequestKey | None = None
) -> str:
    """Close the draft and ask every party to confirm; MATERIALS_MISSING names each, NOT_EDITABLE."""
    lost = await _lost_files(needs, application_id)
    return await _ask(needs, application_id=application_id, resident_id=resident_id, lost=lost, key=key)


async def _lost_files(needs: Needs, application_id: str) -> frozenset[str]:
    """Digests whose content is not in the store: such a file counts as not uploaded."""
    rows = await ApplicationMaterial.filter(application_id=application_id)
    found = {row.digest for row in rows}
    scope = scope_of(application_id)
    return frozenset([digest for digest in found if not await needs.files.exists(scope, digest)])


@transactional
async def _ask(
    needs: Needs, *, application_id: str, resident_id: str, lost: frozenset[str], key: RequestKey | None
) -> str:
    row, _ = await lock_for(application_id, resident_id)
    check_editable(State(row.state))
    record = await load(needs.cipher, row)
    parties = [each.id for each in record.parties]
    files = [(file.code, file.party_id, file.origin) for file in record.files if file.digest not in lost]
    there = filled_slots(record.requirements, parties=parties, files=files)
    missing = missing_materials(record.requirements, parties=parties, uploaded=there)
    check_materials(missing, {party.id: PersonName(party.name).masked() for party in record.parties})
    now = needs.clock.now()
    row.state = State.AWAITING_CONFIRMATION
    row.expires_at = now + timedelta(hours=record.requirements.confirmation_hours)
    await save(needs, row, "state", "expires_at")
    await step(row, code="confirmation_requested", name="等待各方确认", at=now)
    await deed(needs, row, by=resident_id, action="confirmation_requested")
    await needs.outbox.publish(ConfirmationRequested(row.id))
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id


@transactional
async def reopen(needs: Needs, *, application_id: str, resident_id: str, key: RequestKey | None = None) -> str:
    """Back to the draft: every confirmation is void and the claim is given up; NOT_REOPENABLE.

    From a wish for correction too: after the changes all confirm again and it is submitted under its number.
    """
    row, _ = await lock_for(application_id, resident_id)
    check_free(row.hold)
    check_reopenable(State(row.state))
    now = needs.clock.now()
    await ApplicationConfirmation.filter(application_id=row.id).delete()
    await ApplicationParty.filter(application_id=row.id).update(state=PartyState.WAITING)
    await release_claims(row.id)
    row.state = State.DRAFT
    row.expires_at = None if row.number else now + DRAFT_LASTS
    await save(needs, row, "state", "expires_at")
    await step(row, code="reopened", name="退回填写", at=now)
    await deed(needs, row, by=resident_id, action="reopened")
    if key is not None:
        await key.settle(result_id=row.id, status=200)
    return row.id
