"""Counters over HTTP: offices, their calendar, booking, the pass; and what is refused leaves nothing behind."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import zxingcpp
from PIL import Image

from kit.web.access import Principal
from kit.web.limits import RateLimits
from miniprogram_api import appointments, offices
from server.appointments import queries, service
from server.appointments.models import AppointmentSlot, Booking
from server.journeys.house import House
from tests.factories.appointments import BUSINESS, CLERK, FIRST_SLOT, HERE, Hall, counted, hall
from tests.support.serving import client, edge, served

BOOK = "/api/v1/appointments"
ME, OTHER = "a" * 32, "b" * 32


@pytest.fixture
async def at(db: object) -> Hall:
    return await hall()


async def who(request: Any) -> Principal:
    """The token is a resident's id, with `-2` behind it below the real-name level."""
    name, _, level = (request.token or ME).partition("-")
    return Principal("resident", id=name, level=int(level or 3))


@pytest.fixture
async def phone(at: Hall) -> AsyncIterator[httpx.AsyncClient]:
    house = cast("House", SimpleNamespace(appointments=at.needs))
    door = edge(authenticators={"resident": who}, clock=at.clock, limits=RateLimits(factor=100))
    async with served([noun.blueprint(house, door) for noun in (offices, appointments)]) as base, client(base) as http:
        yield http


async def post(http: httpx.AsyncClient, path: str, body: Any = None, *, key: str = "", by: str = ME) -> httpx.Response:
    headers = {
        "Idempotency-Key": key or f"k{id(object())}-{len(path)}-{FIRST_SLOT:%H}",
        "Authorization": f"Bearer {by}",
    }
    return await http.post(path, json={} if body is None else body, headers=headers)


def wanted(slot: AppointmentSlot) -> dict[str, str]:
    return {"slot_id": slot.id, "business_type": BUSINESS}


async def test_where_offices_are_is_for_everybody(phone: httpx.AsyncClient) -> None:
    found = (await phone.get("/api/v1/offices?district=320114")).json()
    (office,) = found["items"]
    assert (office["name"], office["opening_hours"]) == (
        "演示市不动产登记中心雨花台受理点",
        "工作日09:00至12:00，13:30至17:00",
    )
    assert {office["address"] > "", office["phone"] > "", office["map_hint"] > ""} == {True}
    assert [group["code"] for group in office["groups"]] == ["transfer", "mortgage", "other"]
    assert len((await phone.get("/api/v1/offices")).json()["items"]) == 2
    assert (await phone.get("/api/v1/offices?district=320199")).json() == {"items": [], "next": None}
    assert (await phone.get("/api/v1/offices?district=north")).status_code == 422


async def test_the_calendar_says_what_is_left_and_why_a_day_is_closed(at: Hall, phone: httpx.AsyncClient) -> None:
    await at.book(await at.slot())
    await service.close_day(
        at.needs,
        staff_id=CLERK,
        scope=HERE,
        office_id=at.office.id,
        day=(FIRST_SLOT + timedelta(days=1)).date(),
        reason="停电",
    )
    path = f"/api/v1/offices/{at.office.id}/slots"
    shown = (await phone.get(f"{path}?business={BUSINESS}&days=16")).json()
    days = {day["day"]: day for day in shown["days"]}
    assert len(days) == 16
    sunday, monday, tuesday = (days[f"2026-11-{day}"] for day in (22, 23, 24))
    assert (sunday["closed"], sunday["closed_text"]) == (True, "休息日，不对外办公")
    assert (tuesday["closed"], tuesday["closed_text"], tuesday["slots"]) == (True, "暂停办公：停电", [])
    assert days["2026-12-07"]["closed_text"] == "尚未开放预约，可以预约今天起14天内的时段"
    assert (monday["closed"], monday["weekday_text"], monday["left"]) == (False, "星期一", 13 * 8 - 1)
    assert (monday["morning_left"], monday["afternoon_left"]) == (6 * 8 - 1, 7 * 8)
    assert monday["slots"][0] == {
        "id": (await at.slot()).id,
        "starts_at": "2026-11-23T09:00:00+08:00",
        "ends_at": "2026-11-23T09:30:00+08:00",
        "left": 7,
    }
    at.at(FIRST_SLOT)
    later = (await phone.get(f"{path}?business={BUSINESS}&from=2026-11-01&days=1")).json()["days"]
    assert [(day["day"], len(day["slots"])) for day in later] == [("2026-11-23", 12)]
    for query, code in (
        ("", 422),
        ("business=x", 422),
        (f"business={BUSINESS}&days=0", 422),
        (f"business={BUSINESS}&days=32", 422),
        (f"business={BUSINESS}&from=tomorrow", 422),
        (f"business={BUSINESS}&from=0001-01-01", 422),
        ("business=NO_SUCH", 422),
    ):
        assert (await phone.get(f"{path}?{query}")).status_code == code, query
    nowhere = await phone.get(f"/api/v1/offices/{'0' * 32}/slots?business={BUSINESS}")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "OFFICE_NOT_FOUND")


async def test_from_the_hold_to_the_pass_and_back(at: Hall, phone: httpx.AsyncClient) -> None:
    slot = await at.slot()
    held = await post(phone, BOOK, wanted(slot), key="request-01")
    again = await post(phone, BOOK, wanted(slot), key="request-01")
    body = held.json()
    assert (held.status_code, again.status_code, again.json()) == (201, 201, body)
    assert (body["state_text"], body["hold_until"]) == ("已保留，待确认", "2026-11-22T12:05:00+08:00")
    assert (body["office"]["name"], body["business_group_text"]) == ("演示市不动产登记中心雨花台受理点", "转移登记")
    one = f"{BOOK}/{body['id']}"
    booked = (await post(phone, f"{one}/confirmation", key="request-02")).json()
    assert (booked["state"], booked["number"], booked["hold_until"]) == ("booked", "A001", None)
    png = await phone.get(f"{one}/pass")
    assert (png.status_code, png.headers["content-type"]) == (200, "image/png")
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png.content)))
    assert code.text == await queries.pass_text(at.needs, booking_id=body["id"], resident_id=ME)
    assert (await phone.get(one)).json() == booked
    assert (await phone.get(BOOK)).json() == {"items": [booked], "next": None}
    gone = (await post(phone, f"{one}/cancellation", key="request-03")).json()
    assert (gone["state_text"], gone["version"]) == ("已取消", 3)
    assert await counted(slot) == (0, 0)


async def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in body["title"]), body
    return answer.status_code, body["code"]


async def test_what_is_refused_leaves_nothing_behind(at: Hall, phone: httpx.AsyncClient) -> None:
    slot, small = await at.slot(), await at.slot(group="other", capacity=1)
    mine = (await post(phone, BOOK, wanted(slot), key="mine-0001")).json()
    await service.hold(at.needs, resident_id=OTHER, slot_id=small.id, business_type="REISSUE")
    closed = await AppointmentSlot.filter(office_id=at.office.id, business_group="mortgage").first()
    assert closed is not None
    await AppointmentSlot.filter(id=closed.id).update(closed=True)
    rows = await Booking.all().count()
    table = [
        (BOOK, wanted(slot), (409, "ALREADY_BOOKED")),
        (BOOK, {"slot_id": small.id, "business_type": "REISSUE"}, (409, "SLOT_FULL")),
        (BOOK, {"slot_id": closed.id, "business_type": "MORTGAGE_FIRST"}, (409, "DAY_CLOSED")),
        (BOOK, {"slot_id": slot.id, "business_type": "REISSUE"}, (422, "BUSINESS_NOT_OFFERED")),
        (BOOK, {"slot_id": "0" * 32, "business_type": BUSINESS}, (404, "SLOT_NOT_FOUND")),
        (BOOK, {"slot_id": "1 OR 1=1", "business_type": BUSINESS}, (422, "INVALID_CONTENT")),
        (BOOK, {**wanted(slot), "number": "A001"}, (422, "INVALID_CONTENT")),
        (BOOK, {}, (422, "INVALID_CONTENT")),
    ]
    for place, (path, body, expected) in enumerate(table):
        assert await refusal(await post(phone, path, body, key=f"bad-{place:05d}")) == expected
    for verb in ("confirmation", "cancellation"):
        answer = await post(phone, f"{BOOK}/{mine['id']}/{verb}", key=f"other-{verb}", by=OTHER)
        assert await refusal(answer) == (404, "APPOINTMENT_NOT_FOUND")
    for path in (f"{BOOK}/{mine['id']}", f"{BOOK}/{mine['id']}/pass"):
        answer = await phone.get(path, headers={"Authorization": f"Bearer {OTHER}"})
        assert await refusal(answer) == (404, "APPOINTMENT_NOT_FOUND")
    assert await refusal(await phone.get(f"{BOOK}/{mine['id']}/pass")) == (409, "PASS_NOT_READY")
    assert await refusal(await post(phone, BOOK, wanted(slot), key="low-00001", by=f"{OTHER}-2")) == (
        403,
        "LEVEL_TOO_LOW",
    )
    assert (await phone.post(BOOK, json=wanted(slot))).json()["code"] == "IDEMPOTENCY_KEY_MISSING"
    at.at(FIRST_SLOT)
    assert await refusal(await post(phone, BOOK, wanted(slot), key="past-0001", by=OTHER)) == (409, "SLOT_PAST")
    assert await Booking.all().count() == rows == 2
    assert await counted(slot) == (1, 1)


async def test_one_resident_cannot_hammer_the_counter(at: Hall) -> None:
    house = cast("House", SimpleNamespace(appointments=at.needs))
    door = edge(authenticators={"resident": who}, clock=at.clock)
    slot = await at.slot()
    async with served([appointments.blueprint(house, door)]) as base, client(base) as http:
        codes = [(await post(http, BOOK, wanted(slot), key=f"rush-{n:04d}")).status_code for n in range(21)]
    assert (codes[0], codes[1], codes[20]) == (201, 409, 429)
    assert await counted(slot) == (1, 1)
