"""Where counters are, when they are open, and which slots of them are free."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any

import orjson
from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.db.sql import as_utc
from kit.web.access import public, resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Query
from server.appointments import errors, queries, rules
from server.appointments.ports import OfficeRecord
from server.appointments.queries import Calendar
from server.identity.rules import Level
from server.journeys.house import House


class OfficesWhere(Query):
    """The offices of one district; without it, all of them."""

    district: Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")] | None = None


class ServedBusinesses(Answer):
    """Businesses served at the same counters; a resident has one live appointment in each group."""

    code: str
    name: str
    businesses: list[str]


class OfficeInfo(Answer):
    """`opening_hours` holds on working days; slots can be booked up to `days_ahead` days from today."""

    id: str
    district: str
    name: str
    address: str
    phone: str
    map_hint: str
    opening_hours: str
    days_ahead: int
    groups: list[ServedBusinesses]


class OfficeList(Answer):
    items: list[OfficeInfo]
    next: str | None


class SlotsWanted(Query):
    """From which day (today), and how many days."""

    business: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,31}$")]
    from_day: Annotated[date | None, Field(alias="from", ge=date(2020, 1, 1), le=date(2100, 1, 1))] = None
    days: Annotated[int, Field(ge=1, le=31)] = 7


class FreeSlot(Answer):
    """`left`: how many places are free now."""

    id: str
    starts_at: str
    ends_at: str
    left: int


class SlotDay(Answer):
    """`closed_text` says why nothing can be booked on a closed day."""

    day: str
    weekday_text: str
    closed: bool
    closed_text: str | None
    left: int
    morning_left: int
    afternoon_left: int
    slots: list[FreeSlot]


class SlotCalendar(Answer):
    office_id: str
    business_group: str
    business_group_text: str
    days: list[SlotDay]


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of offices."""
    routes = Routes("offices", "/api/v1/offices", edge)
    needs = house.appointments

    @routes.get(
        "",
        access=public("where offices are and when they open is for everybody, before they log in"),
        summary="Offices with their address, telephone and opening hours",
        query=OfficesWhere,
        answer=OfficeList,
        rate="120/minute",
    )
    async def offices(call: Call[OfficesWhere]) -> OfficeList:
        found = await queries.offices(needs, district=call.input.district)
        return OfficeList(items=[_office(each) for each in found], next=None)

    @routes.get(
        "/<office_id:str>/slots",
        access=resident(Level.REAL_NAME),
        summary="What can be booked for a business at an office, day by day",
        query=SlotsWanted,
        answer=SlotCalendar,
        rate="120/minute",
        errors=(errors.OfficeNotFound, errors.BusinessNotOffered),
    )
    async def slots(call: Call[SlotsWanted], office_id: str) -> bytes:
        wanted = call.input
        found = await queries.calendar(
            needs, office_id=office_id, business_type=wanted.business, first=wanted.from_day, days=wanted.days
        )
        return _calendar(found)

    return routes.blueprint


def _office(record: OfficeRecord) -> OfficeInfo:
    stretches = "，".join(f"{each.begins:%H:%M}至{each.ends:%H:%M}" for each in record.plan.opening_hours)
    return OfficeInfo(
        id=record.id,
        district=record.district,
        name=record.name,
        address=record.address,
        phone=record.phone,
        map_hint=record.map_hint,
        opening_hours=f"工作日{stretches}",
        days_ahead=record.plan.days_ahead,
        groups=[
            ServedBusinesses(code=group.code, name=group.name, businesses=list(group.businesses))
            for group in record.plan.groups
        ],
    )


def _calendar(found: Calendar) -> bytes:
    """Plain JSON without a model: some 140 slots are the dearest answer that many ask for at once."""
    by_day = {day: list(rows) for day, rows in groupby(found.rows, key=lambda row: queries.as_date(row["day"]))}
    return orjson.dumps(
        {
            "office_id": found.office.id,
            "business_group": found.group.code,
            "business_group_text": found.group.name,
            "days": [_day(found, day, by_day.get(day, [])) for day in _days(found)],
        }
    )


def _days(found: Calendar) -> Iterator[date]:
    for step in range((found.last - found.first).days + 1):
        yield found.first + timedelta(days=step)


def _day(found: Calendar, day: date, rows: list[dict[str, Any]]) -> dict[str, Any]:
    why = _closed_text(found, day, rows)
    slots, left = _slots(found, rows) if why is None else ([], (0, 0))
    return {
        "day": day.isoformat(),
        "weekday_text": rules.weekday_text(day),
        "closed": why is not None,
        "closed_text": why,
        "left": sum(left),
        "morning_left": left[0],
        "afternoon_left": left[1],
        "slots": slots,
    }


def _slots(found: Calendar, rows: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """The slots still to come, and what is left of them before noon and after."""
    slots, morning, afternoon = [], 0, 0
    for row in rows:
        starts_at = as_utc(row["starts_at"])
        if starts_at <= found.now:
            continue
        left = row["capacity"] - row["booked"]
        if rules.in_the_morning(starts_at):
            morning += left
        else:
            afternoon += left
        ends_at = rfc3339(as_utc(row["ends_at"]))
        slots.append({"id": row["id"], "starts_at": rfc3339(starts_at), "ends_at": ends_at, "left": left})
    return slots, (morning, afternoon)


def _closed_text(found: Calendar, day: date, rows: list[dict[str, Any]]) -> str | None:
    if rows and rows[0]["closed"]:
        return f"暂停办公：{rows[0]['reason']}" if rows[0]["reason"] else "暂停办公"
    if rows:
        return None
    days_ahead = found.office.plan.days_ahead
    if day > rules.last_day(found.today, days_ahead):
        return f"尚未开放预约，可以预约今天起{days_ahead}天内的时段"
    return "休息日，不对外办公"
