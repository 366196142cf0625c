from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from sanic import Request

from kit.audit.models import AuditRecord
from kit.web.access import Principal
from server.appointments import queries
from server.appointments.models import Booking, OfficeClosure
from server.console import appointments
from server.journeys.house import House
from server.staff.rules import PERMISSIONS, Role
from tests.factories import identity
from tests.factories.appointments import CLERK, FIRST_SLOT, Hall, hall
from tests.support.serving import client, edge, served

DESK = "/staff/v1/appointments"
DAY = "2026-11-23"


@pytest.fixture
async def at(db: object) -> Hall:
    return await hall()


@pytest.fixture
def people() -> identity.World:
    return identity.world()


@pytest.fixture
async def clerk(at: Hall, people: identity.World) -> AsyncIterator[httpx.AsyncClient]:
    """The token names the district, with the one permission behind a hyphen, or all of a clerk's."""

    async def who(request: Request) -> Principal | None:
        district, _, permission = (request.token or "").partition("-")
        permissions = frozenset({permission}) if permission else PERMISSIONS[Role.CLERK]
        return Principal("staff", id=CLERK, permissions=permissions, districts=frozenset({district}))

    house = cast("House", SimpleNamespace(appointments=at.needs, identity=people.needs))
    door = edge(authenticators={"staff": who}, clock=at.clock)
    async with served([appointments.blueprint(house, door)]) as base, client(base, "320114") as http:
        yield http


async def post(http: httpx.AsyncClient, path: str, body: Any, key: str, bearer: str = "320114") -> httpx.Response:
    return await http.post(path, json=body, headers={"Idempotency-Key": key, "Authorization": f"Bearer {bearer}"})


async def test_a_visitor_from_the_list_to_the_counter(
    at: Hall, people: identity.World, clerk: httpx.AsyncClient
) -> None:
    zhang = await identity.resident(people, phone=True, real_name=True)
    booked = await at.book(await at.slot(), zhang.id)
    listed = (await clerk.get(f"{DESK}?office={at.office.id}&day={DAY}")).json()
    (visitor,) = listed["items"]
    assert (visitor["number"], visitor["name_masked"], visitor["state_text"]) == ("A001", "王*强", "预约成功")
    assert (listed["next"], zhang.name in str(listed)) == (None, False)
    text = await queries.pass_text(at.needs, booking_id=booked.id, resident_id=zhang.id)
    early = await post(clerk, f"{DESK}/check-in", {"pass": text}, "check-early")
    assert (early.status_code, early.json()["code"]) == (409, "CHECK_IN_TOO_EARLY")
    assert early.json()["opens_at"] == "2026-11-23T08:30:00+08:00"
    at.at(FIRST_SLOT - timedelta(minutes=5))
    for _ in range(2):
        done = await post(clerk, f"{DESK}/check-in", {"pass": text}, "check-first")
        assert (done.status_code, done.json()["state"], done.json()["name_masked"]) == (200, "checked_in", "王*强")
    twice = await post(clerk, f"{DESK}/check-in", {"pass": text}, "check-twice")
    assert (twice.status_code, twice.json()["code"]) == (409, "APPOINTMENT_USED")
    trace = await AuditRecord.get(action="appointments.checked_in")
    assert (trace.actor_kind, trace.actor_id, trace.subject_id) == ("staff", CLERK, booked.id)


async def test_a_pass_shown_at_another_office_is_not_used_up(
    at: Hall, people: identity.World, clerk: httpx.AsyncClient
) -> None:
    zhang = await identity.resident(people, phone=True, real_name=True)
    booked = await at.book(await at.slot(), zhang.id)
    text = await queries.pass_text(at.needs, booking_id=booked.id, resident_id=booked.resident_id)
    at.at(FIRST_SLOT)
    away = await post(clerk, f"{DESK}/check-in", {"pass": text, "office_id": "0" * 32}, "check-elsewhere")
    assert (away.status_code, away.json()["code"]) == (409, "WRONG_OFFICE")
    assert (away.json()["office_id"], away.json()["office_name"]) == (at.office.id, at.office.name)
    assert (await Booking.get(id=booked.id)).state == "booked"
    here = await post(clerk, f"{DESK}/check-in", {"pass": text, "office_id": at.office.id}, "check-here")
    assert (here.status_code, here.json()["state"]) == (200, "checked_in")


async def test_another_district_sees_and_takes_nothing(at: Hall, clerk: httpx.AsyncClient) -> None:
    booked = await at.book(await at.slot())
    text = await queries.pass_text(at.needs, booking_id=booked.id, resident_id=booked.resident_id)
    at.at(FIRST_SLOT)
    there = {"Authorization": "Bearer 320105"}
    listed = await clerk.get(f"{DESK}?office={at.office.id}&day={DAY}", headers=there)
    assert listed.json() == {"items": [], "next": None}
    taken = await post(clerk, f"{DESK}/check-in", {"pass": text}, "check-away", "320105")
    assert (taken.status_code, taken.json()["code"]) == (404, "PASS_UNKNOWN")
    path, body = f"/staff/v1/offices/{at.office.id}/closures", {"day": DAY, "reason": "停电"}
    closed = await post(clerk, path, body, "close-away", "320105")
    assert (closed.status_code, closed.json()["code"]) == (404, "OFFICE_NOT_FOUND")
    assert (await Booking.get(id=booked.id)).state == "booked"


async def test_closing_a_day_says_how_many_it_concerns(at: Hall, clerk: httpx.AsyncClient) -> None:
    await at.book(await at.slot())
    before = await OfficeClosure.all().count()
    path, body = f"/staff/v1/offices/{at.office.id}/closures", {"day": DAY, "reason": "停电\u202e\n检修"}
    for _ in range(2):
        closed = await post(clerk, path, body, "close-0001")
        assert (closed.status_code, closed.json()["bookings"], closed.json()["day"]) == (201, 1, DAY)
        assert closed.json()["reason"] == "停电 检修"
    again = await post(clerk, path, body, "close-0002")
    assert (again.status_code, again.json()["code"]) == (409, "DAY_ALREADY_CLOSED")
    assert await OfficeClosure.all().count() == before + 1


@pytest.mark.parametrize(
    "body",
    [
        {"day": "2026-02-30", "reason": "停电"},
        {"day": "tomorrow", "reason": "停电"},
        {"day": 20261123, "reason": "停电"},
        {"day": DAY, "reason": ""},
        {"day": DAY, "reason": "\u200b\u202e\x00"},
        {"day": DAY, "reason": "请拨打13800000001问王强"},
        {"day": DAY},
        {"day": DAY, "reason": "停电", "office": "x"},
    ],
)
async def test_a_closure_that_is_none_is_refused(at: Hall, clerk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    before = await OfficeClosure.all().count()
    answer = await post(clerk, f"/staff/v1/offices/{at.office.id}/closures", body, "close-bad1")
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CONTENT")
    assert await OfficeClosure.all().count() == before


async def test_each_right_opens_its_own_door(at: Hall, clerk: httpx.AsyncClient) -> None:
    listing, closing = f"{DESK}?office={at.office.id}&day={DAY}", f"/staff/v1/offices/{at.office.id}/closures"
    for permission, codes in (
        ("appointment.read", (200, 403, 403)),
        ("appointment.check_in", (403, 404, 403)),
        ("appointment.manage", (403, 403, 201)),
        ("case.read", (403, 403, 403)),
    ):
        token, key = f"320114-{permission}", permission.replace(".", "-")
        read = await clerk.get(listing, headers={"Authorization": f"Bearer {token}"})
        taken = await post(clerk, f"{DESK}/check-in", {"pass": "X"}, f"take-{key}", token)
        closed = await post(clerk, closing, {"day": DAY, "reason": "停电"}, f"close-{key}", token)
        assert (read.status_code, taken.status_code, closed.status_code) == codes, permission
