from datetime import datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError

from kit.clock import rfc3339
from kit.ids import new_id
from server.applications.errors import UnitClaimed
from server.applications.models import Application, ApplicationClaim, ApplicationEntry
from server.applications.ports import Needs
from server.applications.requirements import Requirements
from server.applications.rules import ClaimStep, claim_step


async def claim_units(needs: Needs, row: Application, requirements: Requirements, *, resident_id: str) -> None:
    """Take or renew the claim on each unit of the application; UNIT_CLAIMED when another holds one."""
    now = needs.clock.now()
    until = now + timedelta(days=requirements.claim_days)
    for entry in await ApplicationEntry.filter(application_id=row.id).order_by("position"):
        await _claim(row, entry, now=now, until=until, resident_id=resident_id)


async def _claim(
    row: Application, entry: ApplicationEntry, *, now: datetime, until: datetime, resident_id: str
) -> None:
    held = ApplicationClaim.filter(unit_code=entry.unit_code, right_code=entry.right_type)
    claim = await held.select_for_update().first()
    holder, ends = (claim.application_id, claim.expires_at) if claim else (None, None)
    decision = claim_step(holder, application_id=row.id, expires_at=ends, now=now)
    if decision is ClaimStep.REFUSE and claim is not None:
        raise await _claimed(claim, resident_id)
    if claim is not None:
        claim.application_id, claim.expires_at = row.id, until
        await claim.save(update_fields=["application_id", "expires_at"])
        return
    try:
        await ApplicationClaim.create(
            id=new_id(),
            application_id=row.id,
            unit_code=entry.unit_code,
            right_code=entry.right_type,
            expires_at=until,
            created_at=now,
        )
    except IntegrityError as error:  # two last owners in the same moment: the other was first
        raise UnitClaimed from error


async def _claimed(claim: ApplicationClaim, resident_id: str) -> UnitClaimed:
    """Until when, and who only as far as the asker may know: an application they are a party of themselves."""
    extra: dict[str, Any] = {"until": rfc3339(claim.expires_at)}
    other = await Application.filter(id=claim.application_id, parties__resident_id=resident_id).first()
    if other is not None:
        extra["application"] = {"id": other.id, "number": other.number}
    return UnitClaimed(extra=extra)
