"""Taking a place: the row and its key first, the slot's one conditional update last, so that its lock is short."""

from dataclasses import dataclass
from datetime import date, datetime

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import execute, fetch_one, transactional
from kit.db.sql import as_utc
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.appointments.errors import AlreadyBooked, BusinessNotOffered, SlotFull, SlotNotFound
from server.appointments.ports import Needs
from server.appointments.queries import as_date, office_of
from server.appointments.rules import HOLD_LASTS, BookingState, active_key, check_bookable, lapsed
from server.appointments.service.tidy import expire, give_back_lapsed

_SLOT = (
    "SELECT id, office_id, business_group, day, starts_at, ends_at, capacity, booked, closed "
    "FROM appointments_slot WHERE id = ?"
)
# The one decision of a race: what it does not match is full, begun or closed.
_TAKE = (
    "UPDATE appointments_slot SET booked = booked + 1 "
    "WHERE id = ? AND booked < capacity AND starts_at > ? AND closed = 0"
)
_INSERT = (
    "INSERT INTO appointments_booking (id, resident_id, slot_id, office_id, district, business_group, business_type, "
    "state, hold_until, active_key, day, starts_at, ends_at, version, created_at, updated_at, ended_reason) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, '')"
)


@dataclass(frozen=True, slots=True)
class _Slot:
    id: str
    office_id: str
    business_group: str
    day: date
    starts_at: datetime
    ends_at: datetime
    capacity: int
    booked: int
    closed: bool

    @property
    def full(self) -> bool:
        return self.booked >= self.capacity


@dataclass(frozen=True, slots=True)
class _Wish:
    resident_id: str
    slot: _Slot
    district: str
    business_type: str

    @property
    def active_key(self) -> str:
        return active_key(self.resident_id, self.slot.business_group)


class _NotTakenError(Exception):
    """The conditional update matched nothing; rolls the row back."""


class _KeyTakenError(Exception):
    """The person has a live booking of the group; rolls back."""


async def hold(
    needs: Needs, *, resident_id: str, slot_id: str, business_type: str, key: RequestKey | None = None
) -> str:
    """Keep a place for five minutes, and answer the appointment's id.

    SLOT_NOT_FOUND, BUSINESS_NOT_OFFERED, SLOT_PAST, DAY_CLOSED, SLOT_FULL, ALREADY_BOOKED. What others' lapsed holds
    still take is given back first.
    """
    wish = await _checked(needs, resident_id, slot_id, business_type)
    if wish.slot.full and not await give_back_lapsed(needs, slot_id=slot_id):
        raise SlotFull
    try:
        return await _take(needs, wish, key)
    except _KeyTakenError:
        await _free_key(needs, wish.active_key)
    except _NotTakenError:
        await _free_place(needs, slot_id)
    try:
        return await _take(needs, wish, key)
    except _KeyTakenError:
        raise AlreadyBooked from None
    except _NotTakenError:
        raise SlotFull from None


async def _checked(needs: Needs, resident_id: str, slot_id: str, business_type: str) -> _Wish:
    """What is asked for, bookable as far as can be seen without a lock."""
    slot = await _slot(slot_id)
    office = await office_of(needs, office_id=slot.office_id)
    group = office.plan.group_for(business_type)
    if group is None or group.code != slot.business_group:
        raise BusinessNotOffered
    check_bookable(starts_at=slot.starts_at, closed=slot.closed, now=needs.clock.now())
    return _Wish(resident_id, slot, office.district, business_type)


async def _slot(slot_id: str) -> _Slot:
    row = await fetch_one(_SLOT, [slot_id])
    if row is None:
        raise SlotNotFound
    moments = {name: as_utc(row[name]) for name in ("starts_at", "ends_at")}
    return _Slot(**{**row, **moments, "day": as_date(row["day"]), "closed": bool(row["closed"])})


@transactional
async def _take(needs: Needs, wish: _Wish, key: RequestKey | None) -> str:
    now, booking_id, slot = needs.clock.now(), new_id(), wish.slot
    values: list[object] = [booking_id, wish.resident_id, slot.id, slot.office_id, wish.district]
    values += [slot.business_group, wish.business_type, BookingState.HELD.value, now + HOLD_LASTS, wish.active_key]
    values += [slot.day.isoformat(), slot.starts_at, slot.ends_at, now, now]
    try:
        await execute(_INSERT, values)
    except IntegrityError as error:
        raise _KeyTakenError from error
    await record(
        actor=Actor("resident", wish.resident_id),
        action="appointments.held",
        subject=("appointment", booking_id),
        details={"slot_id": slot.id},
        at=now,
    )
    if key is not None:
        await key.settle(result_id=booking_id, status=201)
    if await execute(_TAKE, [slot.id, now]) != 1:
        raise _NotTakenError
    return booking_id


async def _free_key(needs: Needs, wanted: str) -> None:
    """End the person's own lapsed hold; ALREADY_BOOKED when theirs is alive."""
    row = await fetch_one("SELECT id, state, hold_until FROM appointments_booking WHERE active_key = ?", [wanted])
    if row is None:  # it ended meanwhile
        return
    until = as_utc(row["hold_until"]) if row["hold_until"] else None
    if not lapsed(BookingState(row["state"]), until, needs.clock.now()):
        raise AlreadyBooked(extra={"appointment_id": row["id"]})
    await expire(needs, booking_id=row["id"])


async def _free_place(needs: Needs, slot_id: str) -> None:
    """Why the update missed: SLOT_PAST, DAY_CLOSED; SLOT_FULL unless somebody's hold has lapsed."""
    slot = await _slot(slot_id)
    check_bookable(starts_at=slot.starts_at, closed=slot.closed, now=needs.clock.now())
    if slot.full and not await give_back_lapsed(needs, slot_id=slot_id):
        raise SlotFull
