"""Offices, their slots, and days on which they do not open."""

from datetime import date, timedelta

import pytest

from kit.db import fetch
from kit.errors import Problem
from kit.ids import new_id
from server.appointments import content, queries, service
from server.appointments.models import AppointmentSlot, Booking, Office, OfficeClosure
from server.terms.scope import Scope
from tests.factories.appointments import BUSINESS, CLERK, FIRST_SLOT, HERE, Hall, counted, hall

MONDAY = date(2026, 11, 23)


@pytest.fixture
async def at(db: object) -> Hall:
    return await hall()


async def refused(work: object) -> str:
    with pytest.raises(Problem) as problem:
        await work  # type: ignore[misc]
    return problem.value.code


async def test_slots_are_made_once_and_go_on_with_the_days(at: Hall) -> None:
    before = await AppointmentSlot.all().count()
    # 320114: 10 working days, 13 slots, 3 groups; 320105: 5 days, 12 slots, 2 groups.
    assert before == 10 * 13 * 3 + 5 * 12 * 2
    assert await service.release_slots(at.needs) == 0
    assert await service.load_offices(at.needs, offices=content.shipped()) == 2
    assert await AppointmentSlot.all().count() == before
    at.clock.advance(seconds=24 * 3600)
    assert await service.release_slots(at.needs) == 13 * 3 + 12 * 2
    assert await service.release_slots(at.needs) == 0


async def test_a_changed_plan_adds_slots_and_leaves_those_there(at: Hall) -> None:
    slot = await at.slot()
    data = content.shipped().model_dump(mode="json")
    data["offices"][0]["opening_hours"].append({"begins": "17:00", "ends": "18:00"})
    data["offices"][0]["counters"][0]["capacity"] = 80
    before = await AppointmentSlot.all().count()
    await service.load_offices(at.needs, offices=content.Offices.model_validate(data))
    assert await AppointmentSlot.all().count() == before + 10 * 2 * 3
    assert (await AppointmentSlot.get(id=slot.id)).capacity == 8
    office = await queries.office_of(at.needs, office_id=at.office.id)
    assert (len(office.plan.opening_hours), (await Office.get(id=at.office.id)).version) == (3, 2)


async def test_days_closed_from_the_start_have_closed_slots(at: Hall) -> None:
    at.clock.advance(seconds=30 * 24 * 3600)
    await service.release_slots(at.needs)
    closed = await AppointmentSlot.filter(day=date(2026, 12, 31), office_id=at.office.id).values_list(
        "closed", flat=True
    )
    assert len(closed) == 39
    assert all(closed)


async def test_closing_a_day_frees_and_tells_everybody(at: Hall) -> None:
    slot = await at.slot()
    held, booked, used = await at.hold(slot), await at.book(slot), await at.book(slot)
    await Booking.filter(id=used.id).update(state="checked_in", active_key=None)
    given = {"staff_id": CLERK, "scope": HERE, "office_id": at.office.id, "day": MONDAY, "reason": "停电检修"}
    closure_id = await service.close_day(at.needs, **given)
    assert await refused(service.close_day(at.needs, **given)) == "DAY_ALREADY_CLOSED"
    assert await refused(at.hold(slot)) == "DAY_CLOSED"
    assert await refused(service.confirm(at.needs, booking_id=held.id, resident_id=held.resident_id)) == "DAY_CLOSED"
    assert (await queries.closure(at.needs, scope=HERE, closure_id=closure_id)).bookings == 1
    assert await service.clear_day(at.needs, closure_id=closure_id) == 2
    assert await service.clear_day(at.needs, closure_id=closure_id) == 0
    states = {row.id: (row.state, row.ended_reason) for row in await Booking.all()}
    assert states == {
        held.id: ("cancelled", "停电检修"),
        booked.id: ("cancelled", "停电检修"),
        used.id: ("checked_in", ""),
    }
    assert await counted(slot) == (1, 1)
    rows = await fetch(
        "SELECT event_name, payload FROM kit_outbox WHERE event_name <> 'appointments.booked' ORDER BY id"
    )
    assert [row["event_name"] for row in rows] == ["appointments.day_closed", "appointments.cancelled_by_office"]
    assert booked.id in rows[1]["payload"]
    assert (await OfficeClosure.get(id=closure_id)).cleared_at is not None
    assert (await queries.closure(at.needs, scope=HERE, closure_id=closure_id)).bookings == 1


async def test_a_day_that_the_file_closes_later_is_cleared_as_well(at: Hall) -> None:
    """Else it could be booked still, and no clerk could close it: the closure would be there already."""
    slot = await at.slot()
    booked, over = await at.book(slot), date(2026, 11, 20)
    data = content.shipped().model_dump(mode="json")
    for office in data["offices"]:
        office["closed_days"] = [{"day": str(day), "reason": "停电检修"} for day in (MONDAY, over)]
    for _ in range(2):
        await service.load_offices(at.needs, offices=content.Offices.model_validate(data))
    assert await refused(at.hold(slot)) == "DAY_CLOSED"
    (closure,) = await OfficeClosure.filter(office_id=at.office.id, day=MONDAY)
    assert (closure.cleared_at, (await OfficeClosure.filter(day=over).first()).cleared_at is None) == (None, False)
    rows = await fetch("SELECT payload FROM kit_outbox WHERE event_name = 'appointments.day_closed'")
    assert len(rows) == 2, "one for each office"
    assert await service.clear_day(at.needs, closure_id=closure.id) == 1
    assert (await Booking.get(id=booked.id)).ended_reason == "停电检修"
    assert await counted(slot) == (0, 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"day": date(2026, 11, 21)}, "DAY_OVER"),
        ({"office_id": "0" * 32}, "OFFICE_NOT_FOUND"),
        ({"scope": Scope.of("320105")}, "OFFICE_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_closed(at: Hall, change: dict[str, object], code: str) -> None:
    given = {"staff_id": CLERK, "scope": HERE, "office_id": at.office.id, "day": MONDAY, "reason": "停电"}
    before = await OfficeClosure.all().count()
    assert await refused(service.close_day(at.needs, **{**given, **change})) == code
    assert await OfficeClosure.all().count() == before


async def test_the_calendar_is_one_select_and_counts_what_is_left(at: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    await at.book(await at.slot())
    asked = {"office_id": at.office.id, "business_type": BUSINESS}
    await queries.calendar(at.needs, **asked)
    sent: list[str] = []
    real = queries.fetch

    async def counted_fetch(sql: str, params: object = ()) -> object:
        sent.append(sql)
        return await real(sql, params)  # type: ignore[arg-type]

    monkeypatch.setattr(queries, "fetch", counted_fetch)
    found = await queries.calendar(at.needs, **asked, days=3)
    assert sent == [queries.SLOTS]
    assert (found.first, found.last, len(found.rows)) == (date(2026, 11, 22), date(2026, 11, 24), 26)
    assert (found.rows[0]["booked"], found.rows[0]["capacity"]) == (1, 8)
    assert await refused(queries.calendar(at.needs, office_id=new_id(), business_type=BUSINESS)) == "OFFICE_NOT_FOUND"
    assert await refused(queries.calendar(at.needs, **{**asked, "business_type": "NONE"})) == "BUSINESS_NOT_OFFERED"


async def test_staff_see_their_districts_in_the_order_of_the_slots(at: Hall) -> None:
    late = await AppointmentSlot.get(
        office_id=at.office.id, business_group="transfer", starts_at=FIRST_SLOT + timedelta(hours=1)
    )
    second, first = await at.book(late), await at.book(await at.slot())
    await at.hold(late)
    asked = {"office_id": at.office.id, "day": MONDAY}
    found = await queries.of_day(at.needs, scope=HERE, **asked)
    assert [row.id for row in found] == [first.id, second.id]
    rest = await queries.of_day(at.needs, scope=HERE, **asked, after=first.id)
    assert [row.id for row in rest] == [second.id]
    for scope in (Scope.of("320105"), Scope(frozenset())):
        assert await queries.of_day(at.needs, scope=scope, **asked) == []
        assert await refused(queries.for_staff(at.needs, scope=scope, booking_id=first.id)) == "APPOINTMENT_NOT_FOUND"
