"""kuaidi100: its signatures, its codes, and what comes through our door."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from sanic import Blueprint

from kit.db import fetch
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.web.access import public
from kit.web.edge import Call
from kit.web.errors import CallbackSignatureWrong
from kit.web.routes import Routes
from server.adapters import carrier_kuaidi100
from server.adapters.carrier_kuaidi100 import (
    PUSH_PATH,
    QUERY_CODES,
    SUBSCRIBE_CODES,
    Kuaidi100,
    Kuaidi100Pushes,
    push_sign,
    query_sign,
)
from server.delivery import queries
from server.delivery.ports import Parcel, UnreadableReport
from server.delivery.states import ParcelState, SignedBy
from tests.factories.deliveries import PostDesk, desk
from tests.support.serving import client, edge, served

VECTOR = '{"com":"ems","num":"1136281381675"}'
SALT = "salt-of-ours"
WAYBILL = "1136281381675"
PARCEL = Parcel("ems", WAYBILL, "13900001234")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Provider:
    """Answers with what it is given; `sent` is the last form."""

    def __init__(self, answer: Any, status: int = 200) -> None:
        self.sent: dict[str, Any] = {}
        self.url = ""
        self._answer = httpx.Response(status, content=answer if isinstance(answer, bytes) else orjson.dumps(answer))

    async def request(self, _: str, url: str, *, content: bytes, **__: Any) -> httpx.Response:
        self.sent, self.url = dict(httpx.QueryParams(content.decode()).items()), url
        return self._answer


def adapter(provider: Provider) -> Kuaidi100:
    return Kuaidi100(
        cast("HttpClient", provider),
        base_url="https://poll.example",
        customer="CUSTOMER",
        key="KEYKEY",
        salt=SALT,
        callback_url=f"https://city.example{PUSH_PATH}",
    )


def line(at: str, context: str, code: str = "", status: str = "在途", area: str = "江苏,南京市") -> dict[str, str]:
    return {"time": at, "ftime": at, "context": context, "areaName": area, "status": status, "statusCode": code}


LINES = [
    line("2026-03-16 15:00:00", "本人签收", "301", "签收"),
    line("2026-03-16 09:00:00", "收寄", "103", "揽收"),
]


def param(*, waybill: str = WAYBILL, data: Any = LINES, state: str = "3", com: str = "ems", **more: Any) -> str:
    last = {"message": "ok", "state": state, "com": com, "nu": waybill, "ischeck": "1", "data": data}
    return orjson.dumps({"status": "polling", "message": "", "autoCheck": "0", "lastResult": last} | more).decode()


def form(text: str, *, salt: str = SALT, lower: bool = False) -> bytes:
    sign = push_sign(text, salt=salt)
    return urlencode({"sign": sign.lower() if lower else sign, "param": text}).encode()


def test_the_published_signatures() -> None:
    assert query_sign(VECTOR, key="KEYKEY", customer="CUSTOMER") == "E988D993EBE2706525E1C7A32821046C"
    assert push_sign(VECTOR, salt="salt") == "AEC5D5D248C3D9436D0C0D2484487B27"


async def test_a_subscription_carries_what_is_needed_and_no_more() -> None:
    provider = Provider({"result": True, "returnCode": "200", "message": "提交成功"})
    assert await adapter(provider).subscribe(PARCEL)
    assert (provider.url, provider.sent["schema"]) == ("https://poll.example/poll", "json")
    asked = orjson.loads(provider.sent["param"])
    assert (asked["company"], asked["number"], asked["key"]) == ("ems", WAYBILL, "KEYKEY")
    assert asked["parameters"]["callbackurl"] == f"https://city.example{PUSH_PATH}"
    assert PARCEL.phone not in provider.sent["param"]
    await adapter(provider).subscribe(replace(PARCEL, carrier="shunfeng"))
    assert orjson.loads(provider.sent["param"])["parameters"]["phone"] == PARCEL.phone


async def test_a_subscription_made_before_is_as_good() -> None:
    assert await adapter(Provider({"result": False, "returnCode": "501"})).subscribe(PARCEL)


@pytest.mark.parametrize(("code", "permanent"), SUBSCRIBE_CODES.items())
async def test_documented_refusals_of_a_subscription(code: str, permanent: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(OutsideError) as refused:
        await adapter(Provider({"result": False, "returnCode": code})).subscribe(PARCEL)
    assert (refused.value.code, refused.value.permanent) == (f"CODE_{code}", permanent)


@pytest.mark.parametrize(("code", "permanent"), QUERY_CODES.items())
async def test_documented_refusals_of_a_query(code: str, permanent: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(OutsideError) as refused:
        await adapter(Provider({"result": False, "returnCode": code})).query(PARCEL)
    assert (refused.value.code, refused.value.permanent) == (f"CODE_{code}", permanent)


async def test_an_undocumented_code_is_tried_again() -> None:
    with pytest.raises(OutsideError) as refused:
        await adapter(Provider({"returnCode": "4711"})).subscribe(PARCEL)
    assert not refused.value.permanent


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b"{}", {"status": "200"}, {"status": "200", "com": "ems", "nu": "x"}]
)
async def test_an_answer_that_is_none(answer: Any) -> None:
    with pytest.raises(OutsideError) as refused:
        await adapter(Provider(answer)).query(PARCEL)
    assert not refused.value.permanent
    with pytest.raises(OutsideError):
        await adapter(Provider(answer, 502)).query(PARCEL)


async def test_a_query_is_signed_and_read() -> None:
    answer = {"message": "ok", "status": "200", "state": "3", "com": "ems", "nu": WAYBILL, "data": LINES}
    provider = Provider(answer)
    report = await adapter(provider).query(PARCEL)
    assert provider.sent["sign"] == query_sign(provider.sent["param"], key="KEYKEY", customer="CUSTOMER")
    assert report is not None
    assert (report.stands, report.signed_by, report.raw_state) == (ParcelState.SIGNED, SignedBy.SELF, "3")
    assert [entry.at.isoformat() for entry in report.entries] == [
        "2026-03-16T15:00:00+08:00",
        "2026-03-16T09:00:00+08:00",
    ]
    assert await adapter(Provider({"result": False, "returnCode": "500"})).query(PARCEL) is None


def test_a_list_without_advanced_codes() -> None:
    text = param(
        data=[line("2026-03-16 15:00:00", "派送", status="派件"), line("2026-03-16 09:00:00", "?", status="?")]
    )
    report = Kuaidi100Pushes(SALT).read(text.encode())
    assert [entry.state for entry in report.entries] == [ParcelState.DELIVERING, None]


@pytest.mark.parametrize("name", ["areaName", "status", "statusCode", "context", "ftime", "location"])
def test_a_line_that_leaves_something_null_is_read(name: str) -> None:
    pushes = Kuaidi100Pushes(SALT)
    told = param(data=[{**LINES[0], name: None}, LINES[1]], comOld=None, comNew=None, autoCheck=None)
    report = pushes.read(told.encode())
    assert (len(report.entries), report.state, report.newest_first[0].at.hour) == (2, ParcelState.SIGNED, 15)


def test_what_a_push_says_of_the_watching() -> None:
    pushes = Kuaidi100Pushes(SALT)
    assert pushes.read(param(status="abort", data=None).encode()).aborted
    assert pushes.read(param(status="shutdown").encode()).ended
    corrected = pushes.read(param(autoCheck="1", comOld="ems", comNew="youzhengguonei", com="ems").encode())
    assert (corrected.corrects, corrected.carrier) == ("ems", "youzhengguonei")
    assert pushes.read(param(autoCheck="1").encode()).corrects == ""


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no json",
        param(data=[line("yesterday", "x")]),
        param(data=[line("0001-01-01 00:00:00", "x")]),
        param(waybill=""),
        param(waybill="1" * 33),
        param(com="x" * 33),
        param(data=[line("2026-03-16 09:00:00", "x")] * 501),
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(UnreadableReport):
        Kuaidi100Pushes(SALT).read(text.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"sign=x",
        b"param=x",
        b"sign=&param=%FF",
        form(VECTOR) + b"&param=other",
        form(VECTOR, salt="another"),
        form(VECTOR).replace(b"ems", b"sms"),
        "sign=签&param=x".encode(),
        urlencode({"sign": "签名", "param": "x"}).encode(),
    ],
)
def test_what_does_not_come_through_the_door(raw: bytes) -> None:
    with pytest.raises(CallbackSignatureWrong):
        Kuaidi100Pushes(SALT).open(raw)


def test_a_push_is_known_by_its_content() -> None:
    pushes = Kuaidi100Pushes(SALT)
    text = param()
    push = pushes.open(form(text))
    assert push == pushes.open(form(text, lower=True))
    assert (push.waybill, push.body, push.id) == (WAYBILL, text.encode(), hashlib.sha256(text.encode()).hexdigest())
    assert pushes.open(form("garbage")).waybill == ""


def test_its_settings_are_checked() -> None:
    wrong = Kuaidi100(
        cast("HttpClient", Provider({})),
        base_url="http://poll.example",
        customer="",
        key=" ",
        salt="",
        callback_url="https://city.example/callbacks/carrier",
    )
    assert len(wrong.check_config()) == 4
    assert adapter(Provider({})).check_config() == []


@pytest.fixture
async def door(db: object) -> AsyncIterator[tuple[PostDesk, httpx.AsyncClient]]:
    post = desk()
    post = replace(post, needs=replace(post.needs, pushes=Kuaidi100Pushes(SALT)))
    post.drain.house.delivery = post.needs
    door = edge(clock=post.clock)
    async with served([carrier_kuaidi100.blueprint(post.needs, door)]) as base, client(base) as http:
        yield post, http


async def counts() -> tuple[int, ...]:
    found = []
    for table in ("kit_inbox", "kit_outbox", "delivery_event", "delivery_stray", "delivery_order"):
        (row,) = await fetch(f"SELECT COUNT(*) AS n FROM {table}")  # noqa: S608 - ours
        found.append(int(row["n"]))
    return tuple(found)


async def test_a_push_is_acknowledged_in_their_words_and_kept_once(door: tuple[PostDesk, httpx.AsyncClient]) -> None:
    post, http = door
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=WAYBILL)
    await post.drain.until_idle()
    for _ in range(2):
        answer = await http.post(PUSH_PATH, content=form(param()), headers=FORM)
        assert (answer.status_code, answer.json()) == (
            200,
            {"result": True, "returnCode": "200", "message": "成功"},
        )
    assert (await counts())[0] == 1
    assert (await post.order(delivery_id)).state == "dispatched"
    await post.drain.until_idle()
    assert (await post.order(delivery_id)).state == "signed"
    assert [text for text, _ in await post.timeline(delivery_id)] == ["本人签收", "收寄"]
    (kept,) = await fetch("SELECT body_sealed FROM kit_inbox")
    assert WAYBILL.encode() not in bytes(kept["body_sealed"])


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", form(param(), salt="another"), form(param()) + b"&param=x", form(param()).replace(b"1136", b"1137")],
)
async def test_what_is_not_proven_leaves_no_trace(door: tuple[PostDesk, httpx.AsyncClient], raw: bytes) -> None:
    _, http = door
    before = await counts()
    answer = await http.post(PUSH_PATH, content=raw, headers=FORM)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (401, "CALLBACK_SIGNATURE_WRONG")
    # Their own shape of a failure too: a genuine push, signed with a salt we do not know yet, is sent again.
    assert (body["result"], body["returnCode"]) == (False, "500")
    assert await counts() == before


async def test_a_huge_body_is_refused(door: tuple[PostDesk, httpx.AsyncClient]) -> None:
    _, http = door
    before = await counts()
    answer = await http.post(PUSH_PATH, content=form("x" * 70_000), headers=FORM)
    assert answer.status_code == 413
    assert await counts() == before


@pytest.mark.parametrize(
    ("text", "fault"), [(param(waybill="9999999999999"), "unknown_waybill"), ("garbage", "unreadable")]
)
async def test_what_is_nobodys_is_acknowledged_and_changes_nothing(
    door: tuple[PostDesk, httpx.AsyncClient], text: str, fault: str
) -> None:
    post, http = door
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=WAYBILL)
    await post.drain.until_idle()
    before = await counts()
    assert (await http.post(PUSH_PATH, content=form(text), headers=FORM)).json()["result"] is True
    await post.drain.until_idle()
    inbox, _, events, strays, orders = await counts()
    assert (inbox - before[0], events - before[2], strays - before[3], orders - before[4]) == (1, 0, 1, 0)
    assert [each.fault for each in await queries.strays(post.needs)] == [fault]
    assert (await post.order(delivery_id)).state == "dispatched"


async def test_without_the_salt_there_is_no_door(db: object) -> None:
    post = desk()
    gate = edge(clock=post.clock)
    other = Routes("another", "/another", gate)  # Sanic does not start without a single route

    @other.get("", access=public("a test"), summary="Nothing")
    async def nothing(call: Call[None]) -> None:
        return None

    closed: list[Blueprint] = [
        carrier_kuaidi100.blueprint(replace(post.needs, pushes=None), gate),
        other.blueprint,
    ]
    async with served(closed) as base, client(base) as http:
        assert (await http.post(PUSH_PATH, content=form(param()), headers=FORM)).status_code == 404
