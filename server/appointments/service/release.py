"""Making the slots of coming working days; each office's horizon moves by a day at midnight in Shanghai."""

from datetime import date

from kit.clock import local_date
from kit.db import transactional
from kit.ids import new_id
from server.appointments.content import Plan
from server.appointments.models import AppointmentSlot, Office, OfficeClosure
from server.appointments.ports import Needs
from server.appointments.rules import days_to_release, last_day, slot_times
from server.terms.working_days import WorkCalendar

_BATCH = 500


async def release_slots(needs: Needs) -> int:
    """Make the slots that are missing, and say how many; for the worker's timer, and cheap when there are none."""
    today = local_date(needs.clock.now())
    calendar = await needs.working_days.calendar()
    made = 0
    for office in await Office.all().order_by("id"):
        days_ahead = Plan.model_validate_json(office.plan).days_ahead
        if office.released_through is None or office.released_through < last_day(today, days_ahead):
            made += await _release(calendar, office_id=office.id, today=today)
    return made


@transactional
async def _release(calendar: WorkCalendar, *, office_id: str, today: date) -> int:
    """Under the office's lock: two workers make no slot twice, and nobody closes a day meanwhile."""
    office = await Office.filter(id=office_id).select_for_update().get()
    plan = Plan.model_validate_json(office.plan)
    days = days_to_release(calendar, today=today, released_through=office.released_through, days_ahead=plan.days_ahead)
    closed = set(await OfficeClosure.filter(office_id=office_id, day__gte=today).values_list("day", flat=True))
    there = await AppointmentSlot.filter(office_id=office_id, day__gte=today).values_list("business_group", "starts_at")
    known = set(there)
    slots = [
        slot
        for day in days
        for slot in _slots(office_id, plan, day, closed=day in closed)
        if (slot.business_group, slot.starts_at) not in known
    ]
    if slots:
        await AppointmentSlot.bulk_create(slots, batch_size=_BATCH)
    office.released_through = last_day(today, plan.days_ahead)
    await office.save(update_fields=["released_through"])
    return len(slots)


def _slots(office_id: str, plan: Plan, day: date, *, closed: bool) -> list[AppointmentSlot]:
    hours = [(stretch.begins, stretch.ends) for stretch in plan.opening_hours]
    return [
        AppointmentSlot(
            id=new_id(),
            office_id=office_id,
            business_group=group.code,
            day=day,
            starts_at=begins,
            ends_at=ends,
            capacity=group.capacity,
            closed=closed,
        )
        for begins, ends in slot_times(hours, minutes=plan.slot_minutes, day=day)
        for group in plan.groups
    ]
