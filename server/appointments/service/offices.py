from datetime import datetime

from kit.audit.service import record
from kit.clock import local_date
from kit.db import transactional
from kit.ids import new_id
from server.appointments.content import ClosedDay, OfficeEntry, Offices, Plan
from server.appointments.events import DayClosed
from server.appointments.models import Office, OfficeClosure
from server.appointments.ports import Needs
from server.appointments.service.release import release_slots
from server.appointments.service.rows import SYSTEM, close_slots

_WORDS = ("district", "name", "address", "phone", "map_hint")


async def load_offices(needs: Needs, *, offices: Offices) -> int:
    """Bring the offices into the database, those that are there up to date, and make their slots; how many they are.

    Slots that exist keep their capacity, so nobody who has booked loses a place; on a day that the file now closes,
    everybody is freed and told.
    """
    for entry in offices.offices:
        await _load(needs, entry, offices.plan_of(entry))
    needs.memory.clear()
    await release_slots(needs)
    return len(offices.offices)


@transactional
async def _load(needs: Needs, entry: OfficeEntry, plan: Plan) -> None:
    now, body = needs.clock.now(), plan.model_dump_json()
    words = {name: getattr(entry, name) for name in _WORDS}
    row = await Office.filter(code=entry.code).select_for_update().first()
    if row is None:
        row = await Office.create(id=new_id(), code=entry.code, **words, plan=body, created_at=now, updated_at=now)
        await record(actor=SYSTEM, action="appointments.office_loaded", subject=("office", row.id), at=now)
    elif row.plan != body or any(getattr(row, name) != text for name, text in words.items()):
        row.update_from_dict({**words, "plan": body, "updated_at": now, "version": row.version + 1})
        row.released_through = None
        await row.save()
        await record(actor=SYSTEM, action="appointments.office_changed", subject=("office", row.id), at=now)
    known = set(await OfficeClosure.filter(office_id=row.id).values_list("day", flat=True))
    for closed in entry.closed_days:
        if closed.day not in known:
            await _close(needs, row.id, closed, now)


async def _close(needs: Needs, office_id: str, closed: ClosedDay, now: datetime) -> None:
    """A day without slots has nobody to be freed, and one that is over nobody to be told."""
    closure_id = new_id()
    has_slots = closed.day >= local_date(now) and await close_slots(office_id, closed.day)
    await OfficeClosure.create(
        id=closure_id,
        office_id=office_id,
        day=closed.day,
        reason=closed.reason,
        closed_by="",
        cleared_at=None if has_slots else now,
        created_at=now,
    )
    if has_slots:
        await needs.outbox.publish(DayClosed(closure_id))
