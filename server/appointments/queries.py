from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from kit.clock import day_begins, local_date
from kit.db import fetch, fetch_one
from kit.db.scope import within
from kit.db.sql import as_utc
from server.appointments.content import Plan, ServedGroup
from server.appointments.errors import AppointmentNotFound, BusinessNotOffered, OfficeNotFound
from server.appointments.models import PASS_AT
from server.appointments.ports import Needs, OfficeRecord
from server.appointments.rules import BookingState, check_pass
from server.terms.scope import Scope

_OFFICE = "SELECT id, district, name, address, phone, map_hint, plan FROM appointments_office"
_BOOKING = (
    "SELECT id, resident_id, slot_id, office_id, business_group, business_type, state, hold_until, number, "
    "starts_at, ends_at, version, ended_reason, checked_in_at FROM appointments_booking"
)
_CLOSURE = (
    "SELECT c.id, c.office_id, c.day, c.reason, (SELECT COUNT(*) FROM appointments_booking b "
    "WHERE b.office_id = c.office_id AND b.day = c.day AND b.number IS NOT NULL AND (b.state = 'booked' "
    "OR b.ended_at >= c.created_at)) AS bookings "
    "FROM appointments_closure c JOIN appointments_office o ON o.id = c.office_id"
)
# Measured by `slot_calendar`.
SLOTS = (
    "SELECT s.id, s.day, s.starts_at, s.ends_at, s.capacity, s.booked, s.closed, c.reason "
    "FROM appointments_slot s LEFT JOIN appointments_closure c ON c.office_id = s.office_id AND c.day = s.day "
    "WHERE s.office_id = ? AND s.business_group = ? AND s.starts_at >= ? AND s.starts_at < ? ORDER BY s.starts_at"
)


def as_date(value: date | str) -> date:
    """A stored day read by SQL text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


# Offices


async def offices(needs: Needs, *, district: str | None = None) -> list[OfficeRecord]:
    """All offices, or those of a district, by name."""
    where, params = ("district = ?", [district]) if district is not None else ("1 = 1", [])
    rows = await fetch(f"{_OFFICE} WHERE {where} ORDER BY name, id", params)
    return [_office(row) for row in rows]


async def office_of(needs: Needs, *, office_id: str) -> OfficeRecord:
    """An office, as it was at most a minute ago; OFFICE_NOT_FOUND."""
    known = needs.memory.find(office_id)
    if known is not None:
        return known
    row = await fetch_one(f"{_OFFICE} WHERE id = ?", [office_id])
    if row is None:
        raise OfficeNotFound
    found = _office(row)
    needs.memory.keep(found)
    return found


def _office(row: dict[str, Any]) -> OfficeRecord:
    return OfficeRecord(**{**row, "plan": Plan.model_validate_json(row["plan"])})


# Slots


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a business may book at an office: the rows of its slots from `first` through `last`, and what is known."""

    office: OfficeRecord
    group: ServedGroup
    today: date
    first: date
    last: date
    now: datetime
    rows: Sequence[dict[str, Any]]


async def calendar(
    needs: Needs, *, office_id: str, business_type: str, first: date | None = None, days: int = 7
) -> Calendar:
    """The slots of `days` days in one SELECT, as raw rows; OFFICE_NOT_FOUND, BUSINESS_NOT_OFFERED."""
    office = await office_of(needs, office_id=office_id)
    group = office.plan.group_for(business_type)
    if group is None:
        raise BusinessNotOffered
    now = needs.clock.now()
    today = local_date(now)
    begin = today if first is None else max(first, today)
    end = begin + timedelta(days=days - 1)
    bounds = [day_begins(begin), day_begins(end + timedelta(days=1))]
    rows = await fetch(SLOTS, [office_id, group.code, *bounds])
    return Calendar(office, group, today, begin, end, now, rows)


# Appointments


@dataclass(frozen=True, slots=True)
class BookingView:
    """An appointment with what its people are called left out."""

    id: str
    resident_id: str
    slot_id: str
    office_id: str
    business_group: str
    business_type: str
    state: BookingState
    hold_until: datetime | None
    number: str | None
    starts_at: datetime
    ends_at: datetime
    version: int
    ended_reason: str
    checked_in_at: datetime | None


async def booking(needs: Needs, *, booking_id: str, resident_id: str) -> BookingView:
    """An appointment of the resident's own; APPOINTMENT_NOT_FOUND for any other."""
    return _found(await fetch_one(f"{_BOOKING} WHERE id = ? AND resident_id = ?", [booking_id, resident_id]))


async def bookings(
    needs: Needs,
    *,
    resident_id: str,
    before: str | None = None,
    limit: int = 20,
) -> list[BookingView]:
    """The resident's appointments, newest first; `before` is the id of the last one seen."""
    rows = await fetch(
        f"{_BOOKING} WHERE resident_id = ? AND id < ? ORDER BY id DESC LIMIT ?", [resident_id, before or "g", limit]
    )
    return [_view(row) for row in rows]


async def told(needs: Needs, *, booking_id: str) -> BookingView:
    """An appointment whoever it belongs to: for journeys that tell its person."""
    return _found(await fetch_one(f"{_BOOKING} WHERE id = ?", [booking_id]))


async def pass_text(needs: Needs, *, booking_id: str, resident_id: str) -> str:
    """What the QR code of the resident's own appointment holds; APPOINTMENT_NOT_FOUND, PASS_NOT_READY."""
    row = await fetch_one(
        "SELECT state, pass_sealed FROM appointments_booking WHERE id = ? AND resident_id = ?",
        [booking_id, resident_id],
    )
    if row is None:
        raise AppointmentNotFound
    check_pass(BookingState(row["state"]))
    return needs.cipher.open(row["pass_sealed"], (PASS_AT, booking_id))


async def of_day(
    needs: Needs,
    *,
    scope: Scope,
    office_id: str,
    day: date,
    after: str | None = None,
    limit: int = 20,
) -> list[BookingView]:
    """An office's appointments of a day in the order of their slots; confirmed ones, whatever became of them."""
    where, districts = within(scope.districts)
    marks, params = "", [office_id, day.isoformat(), *districts]
    if after is not None:
        marks = "AND (starts_at, id) > ((SELECT starts_at FROM appointments_booking WHERE id = ?), ?) "
        params += [after, after]
    rows = await fetch(
        f"{_BOOKING} WHERE office_id = ? AND day = ? AND {where} AND number IS NOT NULL {marks}"
        "ORDER BY starts_at, id LIMIT ?",
        [*params, limit],
    )
    return [_view(row) for row in rows]


async def for_staff(needs: Needs, *, scope: Scope, booking_id: str) -> BookingView:
    where, districts = within(scope.districts)
    return _found(await fetch_one(f"{_BOOKING} WHERE id = ? AND {where}", [booking_id, *districts]))


@dataclass(frozen=True, slots=True)
class ClosureView:
    """`bookings` is how many confirmed appointments the day had, those already freed included."""

    id: str
    office_id: str
    day: date
    reason: str
    bookings: int


async def closure(needs: Needs, *, scope: Scope, closure_id: str) -> ClosureView:
    where, districts = within(scope.districts, column="o.district")
    row = await fetch_one(
        f"{_CLOSURE} WHERE c.id = ? AND {where}",
        [closure_id, *districts],
    )
    if row is None:
        raise OfficeNotFound
    return ClosureView(**{**row, "day": as_date(row["day"])})


def _found(row: dict[str, Any] | None) -> BookingView:
    if row is None:
        raise AppointmentNotFound
    return _view(row)


def _view(row: dict[str, Any]) -> BookingView:
    moments = {
        name: as_utc(row[name]) if row[name] else None
        for name in ("hold_until", "starts_at", "ends_at", "checked_in_at")
    }
    return BookingView(**{**row, **moments, "state": BookingState(row["state"])})
