from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from sanic import Request

from kit.clock import FixedClock
from kit.db import execute
from kit.ids import new_id
from kit.web.access import Principal
from server.console import audit, outbox, sessions
from server.journeys.house import House
from server.staff import queries
from server.staff.ports import Needs
from tests.factories import staff
from tests.factories.staff import PASSWORD, code, member
from tests.support.serving import client, edge, served


@pytest.fixture
def wants(db: object) -> Needs:
    return staff.needs()


@pytest.fixture
async def desk(wants: Needs) -> AsyncIterator[httpx.AsyncClient]:
    async def who(request: Request) -> Principal | None:
        return await queries.authenticate(wants, token=request.token or "")

    house = cast("House", SimpleNamespace(staff=wants))
    door = edge(authenticators={"staff": who}, clock=wants.clock)
    blueprints = [module.blueprint(house, door) for module in (sessions, outbox, audit)]
    async with served(blueprints) as base, client(base) as http:
        yield http


async def park(wants: Needs, count: int) -> list[str]:
    ids = [new_id() for _ in range(count)]
    for row_id in ids:
        now = wants.clock.now()
        await execute(
            "INSERT INTO kit_outbox (id, event_name, event_version, handler, ordering_key, payload, state, "
            "available_at, attempts, error, request_id, created_at) "
            "VALUES (?, 'e', 1, 'h', 'k', '{}', 'parked', ?, 3, 'Permanent: x', 'r', ?)",
            [row_id, now, now],
        )
    return ids


async def test_signing_in_and_out(wants: Needs, desk: httpx.AsyncClient) -> None:
    made = await member(wants, username="li.jian")
    given = {"username": "Li.Jian", "password": PASSWORD, "totp": code(wants, made)}
    answer = await desk.post("/staff/v1/sessions", json=given)
    assert answer.status_code == 201
    assert answer.json()["staff"] == {
        "id": made.id,
        "name": "李建国",
        "roles": ["officer"],
        "districts": ["320114"],
    }
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    refused = await desk.get("/staff/v1/outbox/parked", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (403, "PERMISSION_MISSING")
    assert (await desk.delete("/staff/v1/sessions/current", headers=bearer)).status_code == 204
    assert (await desk.delete("/staff/v1/sessions/current", headers=bearer)).status_code == 401


async def test_a_locked_name_says_when_to_come_back(wants: Needs, desk: httpx.AsyncClient) -> None:
    given = {"username": "nobody.here", "password": PASSWORD, "totp": "123456"}
    for _ in range(5):
        answer = await desk.post("/staff/v1/sessions", json=given)
        assert (answer.status_code, answer.json()["code"]) == (401, "STAFF_SIGN_IN_REFUSED")
    answer = await desk.post("/staff/v1/sessions", json=given)
    assert (answer.status_code, answer.json()["code"]) == (429, "STAFF_SIGN_IN_LOCKED")
    assert answer.headers["retry-after"] == "1801"


async def test_what_stopped_is_listed_in_pages_and_tried_again(wants: Needs, desk: httpx.AsyncClient) -> None:
    made = await member(wants, roles=("operator",), districts=("*",), signed_in=True)
    headers = {"Authorization": f"Bearer {made.token}", "Idempotency-Key": "replay-01"}
    ids = await park(wants, 3)
    first = (await desk.get("/staff/v1/outbox/parked?limit=2", headers=headers)).json()
    assert [row["id"] for row in first["items"]] == ids[:2]
    assert first["items"][0]["error"] == "Permanent: x"
    rest = (await desk.get(f"/staff/v1/outbox/parked?limit=2&cursor={first['next']}", headers=headers)).json()
    assert ([row["id"] for row in rest["items"]], rest["next"]) == (ids[2:], None)
    for _ in range(2):
        answer = await desk.post(f"/staff/v1/outbox/parked/{ids[0]}/replay", json={}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"id": ids[0]})
    headers["Idempotency-Key"] = "replay-02"
    gone = await desk.post(f"/staff/v1/outbox/parked/{ids[0]}/replay", json={}, headers=headers)
    assert (gone.status_code, gone.json()["code"]) == (404, "PARKED_ROW_NOT_FOUND")


async def test_the_auditor_reads_who_did_what(wants: Needs, desk: httpx.AsyncClient) -> None:
    made = await member(wants, roles=("auditor",), districts=("*",), signed_in=True)
    assert isinstance(wants.clock, FixedClock)
    headers = {"Authorization": f"Bearer {made.token}"}
    everything = (await desk.get("/staff/v1/audit", headers=headers)).json()
    assert [row["action"] for row in everything["items"]] == ["staff.signed_in", "staff.created"]
    assert everything["next"] is None
    page = (await desk.get("/staff/v1/audit?limit=1", headers=headers)).json()
    rest = (await desk.get(f"/staff/v1/audit?limit=1&cursor={page['next']}", headers=headers)).json()
    assert rest["items"] == everything["items"][1:]
    assert rest["items"][0]["details"] == {"districts": "*", "roles": "auditor"}
    one = (await desk.get(f"/staff/v1/audit?actor_id={made.id}&action=staff.signed_in", headers=headers)).json()
    assert one["items"] == everything["items"][:1]
    none = (await desk.get(f"/staff/v1/audit?subject_id={'0' * 32}", headers=headers)).json()
    assert none == {"items": [], "next": None}


@pytest.mark.parametrize("role", ["operator", "auditor"])
async def test_what_has_no_district_is_not_for_an_account_of_one(
    wants: Needs, desk: httpx.AsyncClient, role: str
) -> None:
    made = await member(wants, roles=(role,), districts=("320114",), signed_in=True)
    headers = {"Authorization": f"Bearer {made.token}", "Idempotency-Key": "replay-01"}
    (parked,) = await park(wants, 1)
    answers = [
        await desk.get("/staff/v1/outbox/parked", headers=headers),
        await desk.post(f"/staff/v1/outbox/parked/{parked}/replay", json={}, headers=headers),
        await desk.get("/staff/v1/audit", headers=headers),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "PERMISSION_MISSING")] * 3
