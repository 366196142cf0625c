from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from kit.clock import rfc3339
from kit.db import fetch
from kit.db.sql import as_utc
from server.applications.errors import ApplicationNotFound
from server.applications.loading import ANSWERS, STEP_NOTE, file_record, load, load_confirmations
from server.applications.models import (
    Application,
    ApplicationConfirmation,
    ApplicationEntry,
    ApplicationMaterial,
    ApplicationParty,
    ApplicationStep,
)
from server.applications.ports import Needs
from server.applications.records import ApplicationRecord, FileRecord
from server.applications.requirements import QuestionLine
from server.applications.rules import questions_for
from server.applications.states import NOTICE, State

_PROGRESS = (
    "SELECT a.id, a.state, s.code, s.name, s.note, s.happened_at FROM applications_party p "
    "JOIN applications_application a ON a.id = p.application_id "
    "LEFT JOIN applications_step s ON s.application_id = a.id "
    "WHERE p.application_id = ? AND p.resident_id = ? ORDER BY s.happened_at, s.id"
)
_NOTICES = (
    "SELECT id, note_sealed, happened_at FROM applications_step WHERE application_id = ? AND code = ? ORDER BY id"
)


async def full(needs: Needs, *, application_id: str) -> ApplicationRecord:
    """Everything in clear, with what was confirmed; for journeys, never for an answer to a phone."""
    row = await Application.filter(id=application_id).first()
    if row is None:
        raise ApplicationNotFound
    record = await load(needs.cipher, row)
    return replace(record, confirmations=await load_confirmations(needs.cipher, application_id))


async def for_resident(needs: Needs, *, application_id: str, resident_id: str) -> ApplicationRecord:
    """An application the resident is a party of; APPLICATION_NOT_FOUND for any other."""
    row = await Application.filter(id=application_id, parties__resident_id=resident_id).first()
    if row is None:
        raise ApplicationNotFound
    return await load(needs.cipher, row)


async def list_for_resident(
    needs: Needs, *, resident_id: str, after: str | None = None, limit: int = 20
) -> list[ApplicationRecord]:
    """The resident's applications, newest first; `after` is the id of the last one seen."""
    found = Application.filter(parties__resident_id=resident_id)
    if after is not None:
        found = found.filter(id__lt=after)
    return [await load(needs.cipher, row) for row in await found.order_by("-id").limit(limit)]


async def parties_of(needs: Needs, *, application_id: str) -> list[tuple[str, str | None, str]]:
    """(party id, resident id if they have an account, role) of each party, in their order."""
    entry = await ApplicationEntry.filter(application_id=application_id).order_by("position").first()
    if entry is None:
        raise ApplicationNotFound
    rows = (
        await ApplicationParty.filter(application_id=application_id, roles__entry_id=entry.id)
        .order_by("position")
        .values("id", "resident_id", "roles__role")
    )
    return [(row["id"], row["resident_id"], row["roles__role"]) for row in rows]


async def progress(needs: Needs, *, application_id: str, resident_id: str) -> bytes:
    """The progress page as JSON; SQL text for the benchmark `progress_read`.

    One SELECT, and a second where an officer wrote to the parties: two more columns in the first would cost everybody.
    """
    rows = await fetch(_PROGRESS, [application_id, resident_id])
    if not rows:
        raise ApplicationNotFound
    if any(row["code"] == NOTICE for row in rows):
        await _open_notices(needs, application_id, rows)
    state = State(rows[0]["state"])
    return orjson.dumps(
        {
            "id": rows[0]["id"],
            "state": state.value,
            "state_text": state.text,
            "steps": [
                {
                    "code": row["code"],
                    "name": row["name"],
                    "at": rfc3339(as_utc(row["happened_at"])),
                    "note": row["note"],
                }
                for row in rows
                if row["code"] is not None
            ],
        }
    )


async def _open_notices(needs: Needs, application_id: str, rows: list[dict[str, Any]]) -> None:
    """Put what officers wrote into the rows of those moments; one that came since they were read waits its turn."""
    written = defaultdict(list)
    for kept in await fetch(_NOTICES, [application_id, NOTICE]):
        written[kept["happened_at"]].append(needs.cipher.open(kept["note_sealed"], (STEP_NOTE, kept["id"])))
    for row in rows:
        if row["code"] == NOTICE:
            row["note"] = written[row["happened_at"]].pop(0)


async def notice(needs: Needs, *, application_id: str, message_id: str) -> tuple[str, datetime]:
    """What an officer wrote to the parties, and when; LookupError when no such message was recorded."""
    row = await ApplicationStep.get_or_none(application_id=application_id, message_id=message_id)
    if row is None or row.note_sealed is None:
        raise LookupError("no such notice")
    return needs.cipher.open(row.note_sealed, (STEP_NOTE, row.id)), row.happened_at


async def file_of(needs: Needs, *, application_id: str, file_id: str, resident_id: str) -> FileRecord:
    """One file of an application the resident is a party of."""
    row = await ApplicationMaterial.filter(
        id=file_id, application_id=application_id, application__parties__resident_id=resident_id
    ).first()
    if row is None:
        raise ApplicationNotFound
    return file_record(row)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The questions put to a resident, and what they answered so far (question code -> choice code)."""

    questions: tuple[QuestionLine, ...]
    answers: dict[str, str] | None


async def inquiry(needs: Needs, *, application_id: str, resident_id: str) -> Inquiry:
    """The resident's own inquiry record; APPLICATION_NOT_FOUND when they are no party."""
    record = await for_resident(needs, application_id=application_id, resident_id=resident_id)
    party = next(each for each in record.parties if each.resident_id == resident_id)
    questions = questions_for(record.requirements, [role.role for role in party.roles])
    row = await ApplicationConfirmation.filter(party_id=party.id).first()
    answers = needs.cipher.open_json(row.answers_sealed, (ANSWERS, row.id)) if row else None
    return Inquiry(questions, answers)


@dataclass(frozen=True, slots=True)
class Pending:
    """A confirmation under way: its own id, under which a face check may be consumed, and the digest last shown."""

    id: str
    digest: str


async def pending_confirmation(needs: Needs, *, application_id: str, resident_id: str) -> Pending | None:
    """The resident's answered inquiry, confirmed or not; None before they answered."""
    row = await ApplicationConfirmation.filter(application_id=application_id, party__resident_id=resident_id).first()
    return Pending(row.id, row.digest) if row else None
