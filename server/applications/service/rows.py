"""What every verb does with an application's rows: lock first, save with a new version, write a step once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kit.audit.service import Actor, record
from kit.ids import new_id
from server.applications.errors import ApplicationNotFound
from server.applications.models import Application, ApplicationClaim, ApplicationParty, ApplicationStep
from server.applications.ports import Needs


async def lock(application_id: str) -> Application:
    """The application, locked until the transaction ends; APPLICATION_NOT_FOUND."""
    row = await Application.filter(id=application_id).select_for_update().first()
    if row is None:
        raise ApplicationNotFound
    return row


async def lock_for(application_id: str, resident_id: str) -> tuple[Application, list[ApplicationParty]]:
    """The application locked, and its parties, if the resident is one of them; APPLICATION_NOT_FOUND else."""
    row = await Application.filter(id=application_id, parties__resident_id=resident_id).select_for_update().first()
    if row is None:
        raise ApplicationNotFound
    return row, await ApplicationParty.filter(application_id=application_id).order_by("position")


def mine(parties: Iterable[ApplicationParty], resident_id: str) -> ApplicationParty:
    return next(party for party in parties if party.resident_id == resident_id)


async def save(needs: Needs, row: Application, *columns: str) -> None:
    """Write the changed columns; the version rises with every change."""
    row.version += 1
    row.updated_at = needs.clock.now()
    await row.save(update_fields=[*columns, "version", "updated_at"])


async def step(
    row: Application,
    *,
    code: str,
    name: str,
    at: datetime,
    message_id: str | None = None,
    note: str = "",
    identifier: str | None = None,
    note_sealed: str | None = None,
) -> None:
    """A line of the progress page; `note` is ours, an officer's own words come sealed for `identifier`."""
    identifier = identifier or new_id()
    await ApplicationStep.create(
        id=identifier,
        application_id=row.id,
        message_id=message_id or identifier,
        code=code,
        name=name,
        note=note,
        note_sealed=note_sealed,
        happened_at=at,
    )


async def deed(needs: Needs, row: Application, *, by: str, action: str, **details: Any) -> None:
    """A resident's deed in the audit trail, in the transaction that does it; `details` are ids and codes."""
    await record(
        actor=Actor("resident", by),
        action=f"application.{action}",
        subject=("application", row.id),
        details=details,
        at=needs.clock.now(),
    )


async def recorded(application_id: str, message_id: str) -> bool:
    """Whether this message has been recorded before; ask under the application's lock."""
    return await ApplicationStep.filter(application_id=application_id, message_id=message_id).exists()


async def release_claims(application_id: str) -> None:
    await ApplicationClaim.filter(application_id=application_id).delete()
