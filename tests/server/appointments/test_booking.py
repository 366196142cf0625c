"""Holding, confirming, cancelling: the counter is always what the rows say."""

import asyncio
import importlib
from datetime import timedelta

import pytest

from kit.audit.models import AuditRecord
from kit.db import fetch
from kit.errors import Problem
from kit.idempotency.service import new_key, once
from kit.ids import new_id
from server.appointments import queries, service
from server.appointments.errors import AlreadyBooked, BusinessNotOffered, DayClosed, SlotFull, SlotNotFound, SlotPast
from server.appointments.models import AppointmentSlot, Booking
from server.appointments.rules import pass_hash
from tests.factories.appointments import BUSINESS, CLERK, FIRST_SLOT, HERE, Hall, counted, hall

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def at(db: object) -> Hall:
    return await hall()


async def refused(work: object) -> str:
    with pytest.raises(Problem) as problem:
        await work  # type: ignore[misc]
    return problem.value.code


async def events() -> list[str]:
    return [row["event_name"] for row in await fetch("SELECT event_name FROM kit_outbox ORDER BY id")]


async def test_a_place_is_held_confirmed_and_shown_with_its_pass(at: Hall) -> None:
    slot, who = await at.slot(), new_id()
    held = await at.hold(slot, who)
    assert (held.state, held.hold_until) == ("held", at.clock.now() + timedelta(minutes=5))
    assert await events() == []
    assert await refused(queries.pass_text(at.needs, booking_id=held.id, resident_id=who)) == "PASS_NOT_READY"
    await service.confirm(at.needs, booking_id=held.id, resident_id=who)
    booked = await Booking.get(id=held.id)
    assert (booked.state, booked.number, booked.hold_until) == ("booked", "A001", None)
    text = await queries.pass_text(at.needs, booking_id=held.id, resident_id=who)
    assert (len(text), booked.pass_hash) == (32, pass_hash(text))
    assert text not in str(dict(booked))
    assert await events() == ["appointments.booked"]
    assert await counted(slot) == (1, 1)
    other = await at.book(slot)
    assert other.number == "A002"
    actions = await AuditRecord.filter(subject_kind="appointment", subject_id=held.id).order_by("id")
    assert [record.action for record in actions] == ["appointments.held", "appointments.booked"]


async def test_what_cannot_be_held(at: Hall) -> None:
    slot = await at.slot()
    wanted = {"resident_id": new_id(), "slot_id": slot.id, "business_type": BUSINESS}
    for change, problem in (
        ({"slot_id": new_id()}, SlotNotFound),
        ({"business_type": "MORTGAGE_FIRST"}, BusinessNotOffered),
        ({"business_type": "NO_SUCH"}, BusinessNotOffered),
    ):
        with pytest.raises(problem):
            await service.hold(at.needs, **{**wanted, **change})
    await AppointmentSlot.filter(id=slot.id).update(closed=True)
    with pytest.raises(DayClosed):
        await service.hold(at.needs, **wanted)
    at.at(FIRST_SLOT)
    with pytest.raises(SlotPast):
        await service.hold(at.needs, **wanted)
    assert await Booking.all().count() == 0
    assert await counted(slot) == (0, 0)


async def test_nobody_books_twice_in_a_group(at: Hall) -> None:
    slot, who = await at.slot(), new_id()
    held = await at.hold(slot, who)
    with pytest.raises(AlreadyBooked) as twice:
        await at.hold(slot, who)
    assert twice.value.extra == {"appointment_id": held.id}
    assert await counted(slot) == (1, 1)
    mortgage = await at.slot(group="mortgage")
    await service.hold(at.needs, resident_id=who, slot_id=mortgage.id, business_type="MORTGAGE_FIRST")
    await service.cancel(at.needs, booking_id=held.id, resident_id=who)
    again = await at.book(slot, who)
    assert again.id != held.id


async def test_many_at_once_never_get_more_than_there_are(at: Hall) -> None:
    slot = await at.slot(capacity=3)

    async def attempt() -> str:
        try:
            return (await at.hold(slot)).state
        except SlotFull:
            return "full"

    found = await asyncio.gather(*(attempt() for _ in range(12)))
    assert sorted(found) == ["full"] * 9 + ["held"] * 3
    assert await counted(slot) == (3, 3)


async def test_one_person_from_many_phones_gets_one(at: Hall) -> None:
    slot, who = await at.slot(), new_id()

    async def attempt() -> bool:
        try:
            await at.hold(slot, who)
        except AlreadyBooked:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(6)))) == 1
    assert await counted(slot) == (1, 1)


async def test_the_same_request_twice_is_one_appointment(at: Hall) -> None:
    slot, who = await at.slot(), new_id()

    async def ask(digest: str = "d") -> str:
        key = new_key(who=who, route="POST /x", key="k1234567", digest=digest, clock=at.clock)
        outcome = await once(
            key,
            lambda given: service.hold(at.needs, resident_id=who, slot_id=slot.id, business_type=BUSINESS, key=given),
            status=201,
        )
        return outcome.result_id

    first, second = await asyncio.gather(ask(), ask())
    assert first == second == await ask()
    assert await counted(slot) == (1, 1)


async def test_a_lapsed_hold_is_given_back_when_somebody_finds_the_slot_full(at: Hall) -> None:
    slot = await at.slot(capacity=1)
    held = await at.hold(slot)
    with pytest.raises(SlotFull):
        await at.hold(slot)
    at.clock.advance(seconds=300)
    taken = await at.hold(slot)
    assert (await Booking.get(id=held.id)).state == "expired"
    assert taken.state == "held"
    assert await counted(slot) == (1, 1)


async def test_a_persons_own_lapsed_hold_is_in_nobodys_way(at: Hall) -> None:
    slot, who = await at.slot(), new_id()
    held = await at.hold(slot, who)
    at.clock.advance(seconds=301)
    assert await refused(service.confirm(at.needs, booking_id=held.id, resident_id=who)) == "HOLD_EXPIRED"
    assert (await at.hold(slot, who)).id != held.id
    assert await counted(slot) == (1, 1)


async def test_a_slot_that_filled_up_behind_our_back(at: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen free, gone by the time of the update: the row is rolled back; a lapsed hold there still helps."""
    slot = await at.slot(capacity=1)
    await at.hold(slot)
    module = importlib.import_module("server.appointments.service.hold")
    seen = module._slot
    stale = {"left": 1}

    async def once_free(slot_id: str) -> object:
        found = await seen(slot_id)
        if stale["left"]:
            stale["left"] -= 1
            return type(found)(**{name: getattr(found, name) for name in found.__slots__} | {"booked": 0})
        return found

    monkeypatch.setattr(module, "_slot", once_free)
    with pytest.raises(SlotFull):
        await at.hold(slot)
    assert await counted(slot) == (1, 1)
    stale["left"] = 1
    at.clock.advance(seconds=301)
    await at.hold(slot)
    assert await counted(slot) == (1, 1)


async def test_the_timer_gives_back_and_notes_who_did_not_come(at: Hall) -> None:
    slot = await at.slot()
    held, booked = await at.hold(slot), await at.book(slot)
    at.clock.advance(seconds=299)
    assert await service.expire_due(at.needs) == 0
    at.clock.advance(seconds=1)
    assert await service.expire_due(at.needs) == 1
    assert await service.expire_due(at.needs) == 0
    assert (await Booking.get(id=held.id)).state == "expired"
    assert await service.mark_missed(at.needs) == 0
    at.at(booked.ends_at + timedelta(seconds=1))
    assert await service.mark_missed(at.needs) == 1
    row = await Booking.get(id=booked.id)
    assert (row.state, row.active_key) == ("missed", None)
    assert await counted(slot) == (1, 1)


async def test_cancelling_gives_back_exactly_once(at: Hall) -> None:
    slot = await at.slot()
    held, booked = await at.hold(slot), await at.book(slot)
    stranger = {"booking_id": booked.id, "resident_id": new_id()}
    assert await refused(service.cancel(at.needs, **stranger)) == "APPOINTMENT_NOT_FOUND"
    assert await refused(service.confirm(at.needs, **stranger)) == "APPOINTMENT_NOT_FOUND"
    for row in (held, booked):
        await service.cancel(at.needs, booking_id=row.id, resident_id=row.resident_id)
        again = service.cancel(at.needs, booking_id=row.id, resident_id=row.resident_id)
        assert await refused(again) == "APPOINTMENT_CANCELLED"
    assert await counted(slot) == (0, 0)
    assert await events() == ["appointments.booked", "appointments.cancelled"]
    late = await at.book(slot)
    at.at(FIRST_SLOT)
    assert (
        await refused(service.cancel(at.needs, booking_id=late.id, resident_id=late.resident_id)) == "APPOINTMENT_OVER"
    )


async def test_a_pass_is_taken_in_once_in_its_time_and_district(at: Hall) -> None:
    booked = await at.book(await at.slot())
    text = await queries.pass_text(at.needs, booking_id=booked.id, resident_id=booked.resident_id)
    given = {"staff_id": CLERK, "scope": HERE, "text": text}
    assert await refused(service.check_in(at.needs, **given)) == "CHECK_IN_TOO_EARLY"
    at.at(FIRST_SLOT - timedelta(minutes=30))
    elsewhere = type(HERE).of("320105")
    for wrong in ({"text": text + "A"}, {"text": booked.number}, {"text": booked.id}, {"scope": elsewhere}):
        assert await refused(service.check_in(at.needs, **{**given, **wrong})) == "PASS_UNKNOWN"
    assert await service.check_in(at.needs, **given) == booked.id
    assert await refused(service.check_in(at.needs, **given)) == "APPOINTMENT_USED"
    row = await Booking.get(id=booked.id)
    assert (row.state, row.active_key, row.checked_in_by) == ("checked_in", None, CLERK)
    assert await refused(service.cancel(at.needs, booking_id=row.id, resident_id=row.resident_id)) == "APPOINTMENT_USED"
