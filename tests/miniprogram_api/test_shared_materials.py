"""Materials that departments share, over HTTP: asked, shown to whom they are about, uploads when a source is down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sanic import Request

from kit.db import fetch
from kit.errors import OutsideError
from kit.failing import failing
from kit.web.access import Principal
from miniprogram_api import applications, confirmations, materials, shared_materials
from server.identity import queries as identity_queries
from server.journeys import evidencing, packaging
from server.sharing import service as sharing
from tests.factories import applications as make
from tests.factories import filing as town
from tests.factories import identity
from tests.factories.filing import City
from tests.factories.identity import MadeResident
from tests.miniprogram_api.test_applications import BASE, as_, confirm, opened
from tests.support.serving import edge, served

NOUNS = (applications, materials, shared_materials, confirmations)
DOWN = OutsideError("departments", "TIMEOUT", "no answer in time", permanent=False)
ROWS = ("sharing_evidence", "sharing_call", "applications_material", "kit_idempotency_key")


@pytest.fixture
async def city(db: object, tmp_path: Path) -> City:
    return await town.city(tmp_path / "files")


@asynccontextmanager
async def serving(city: City) -> AsyncIterator[httpx.AsyncClient]:
    async def who(request: Request) -> Principal | None:
        return await identity_queries.authenticate(city.house.identity, token=request.token or "")

    door = edge(authenticators={"resident": who}, clock=city.files.clock)
    async with (
        served([noun.blueprint(city.house, door) for noun in NOUNS]) as base_url,
        httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=20) as http,
    ):
        yield http


def behind(city: City, port: Any) -> None:
    """From now on this stands where the departments are."""
    city.house.sharing = replace(city.house.sharing, identity=port, lookup=port)


async def share(http: httpx.AsyncClient, application_id: str, resident: MadeResident, **more: Any) -> httpx.Response:
    url = f"{BASE}/{application_id}/shared-materials"
    return await http.post(url, json={}, **{"headers": as_(resident), **more})


def line(application: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in application["materials"] if each["code"] == code)
    return found


async def counts() -> dict[str, int]:
    return {name: (await fetch(f"SELECT COUNT(*) AS n FROM {name}"))[0]["n"] for name in ROWS}  # noqa: S608 - our tables


async def upload_missing(http: httpx.AsyncClient, city: City, application: dict[str, Any]) -> None:
    for each in application["materials"]:
        if each["required"] and each["state"] == "missing":
            answer = await http.post(
                f"{BASE}/{application['id']}/materials/{each['code']}/files",
                params={"party_id": each["party_id"]} if each["party_id"] else {},
                content=make.JPEG + each["code"].encode(),
                headers=as_(city.buyer, **{"Content-Type": "image/jpeg"}),
            )
            assert answer.status_code == 201, answer.text


async def submitted(http: httpx.AsyncClient, city: City, application_id: str) -> None:
    url = f"{BASE}/{application_id}"
    asked = await http.post(f"{url}/confirmation-request", json={}, headers=as_(city.buyer))
    assert asked.status_code == 200, asked.text
    for resident in city.all:
        done = await confirm(http, city, application_id, resident)
        assert done.status_code == 201, done.text
    done = await http.post(f"{url}/submission", json={}, headers=as_(city.buyer))
    assert done.status_code == 201, done.text


async def test_what_the_departments_have_is_not_asked_for(city: City):
    async with serving(city) as http:
        before = await opened(http, city)
        assert (line(before, "M10")["state"], line(before, "M10")["source_state"]) == ("missing", "not_asked")
        answer = await share(http, before["id"], city.sellers[0])
        assert answer.status_code == 200, answer.text
        now = answer.json()
        for code, source in (("M10", "民政部门婚姻登记信息"), ("M10H", "公安部门户籍信息")):
            shown = line(now, code)
            assert (shown["state"], shown["source_state"], shown["source_text"]) == ("shared", "shared", source)
            assert shown["files"] == []
        assert line(now, "M07")["source"] is None
        again = await share(http, before["id"], city.buyer)
        assert again.json()["version"] == now["version"]
        assert len(city.departments.asked) == 4
        await upload_missing(http, city, now)
        await submitted(http, city, before["id"])
    package = await packaging.build_package(city.house, before["id"])
    shared = [each for each in package["materials"] if "source" in each]
    assert sorted((each["code"], each["party_position"]) for each in shared) == [
        ("M10", 0),
        ("M10", 1),
        ("M10", 2),
        ("M10H", 2),
    ]
    assert {each["mime"] for each in shared} == {"application/json"}
    assert all(each["purpose"] and "第二十四条" in each["legal_basis"] for each in shared)


async def test_a_replayed_request_asks_nobody_again(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        headers = as_(city.buyer)
        first = await share(http, application["id"], city.buyer, headers=headers)
        city.departments.marriages.clear()
        second = await share(http, application["id"], city.buyer, headers=headers)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        assert len(city.departments.asked) == 4


async def test_each_reads_their_own_and_nobody_elses(city: City):
    stranger = await identity.resident(city.people, real_name=True, name="陈晓")
    async with serving(city) as http:
        application = await opened(http, city)
        url = f"{BASE}/{application['id']}/evidence"
        await share(http, application["id"], city.sellers[0])
        ids = {}
        for resident in city.all:
            shown = (await http.get(f"{BASE}/{application['id']}", headers=as_(resident))).json()
            evidence = line(shown, "M10")["evidence"]
            assert [each["is_me"] for each in evidence if each["id"]] == [True]
            assert {each["state"] for each in evidence} == {"shared"}
            assert all(each["asked_at"] for each in evidence)
            ids[resident.name] = next(each["id"] for each in evidence if each["id"])
        mine = (await http.get(f"{url}/{ids['张明']}", headers=as_(city.sellers[0]))).json()
        told = {each["label"]: each["text"] for each in mine["lines"]}
        assert (mine["title"], told["婚姻状况"], told["配偶"]) == (
            "婚姻登记信息",
            "已婚",
            "李静（证件号码320***********9982）",
        )
        assert "第二十四条" in mine["legal_basis"]
        for reader, evidence_id in (
            (city.sellers[1], ids["张明"]),
            (city.buyer, ids["李静"]),
            (stranger, ids["王强"]),
            (city.buyer, "0" * 32),
            (city.buyer, "x"),
        ):
            refused = await http.get(f"{url}/{evidence_id}", headers=as_(reader))
            assert (refused.status_code, refused.json()["code"]) == (404, "EVIDENCE_NOT_FOUND")
        elsewhere = await http.get(f"{BASE}/{'0' * 32}/evidence/{ids['王强']}", headers=as_(city.buyer))
        assert elsewhere.status_code == 404
        everything = (await http.get(f"{BASE}/{application['id']}", headers=as_(city.buyer))).text
    for secret in ("已婚", "married", "divorced", "王小宝"):
        assert secret not in everything


async def test_with_the_departments_down_uploads_take_their_place(city: City):
    behind(city, failing(city.departments, [DOWN] * 100))
    async with serving(city) as http:
        application = await opened(http, city)
        answer = await share(http, application["id"], city.buyer)
        assert answer.status_code == 200, answer.text
        shown = line(answer.json(), "M10")
        assert (shown["state"], shown["source_state"]) == ("missing", "unavailable")
        assert "直接上传" in shown["source_hint"]
        await upload_missing(http, city, answer.json())
        await submitted(http, city, application["id"])
        done = (await http.get(f"{BASE}/{application['id']}", headers=as_(city.buyer))).json()
    assert (done["state"], line(done, "M10")["state"]) == ("submitted", "uploaded")
    package = await packaging.build_package(city.house, application["id"])
    assert not any("source" in each for each in package["materials"])


async def test_one_department_down_and_asked_again_later(city: City):
    behind(city, failing(city.departments, [DOWN], methods=["household"]))
    async with serving(city) as http:
        application = await opened(http, city)
        now = (await share(http, application["id"], city.buyer)).json()
        assert (line(now, "M10")["state"], line(now, "M10H")["state"]) == ("shared", "missing")
        assert line(now, "M10H")["source_state"] == "unavailable"
        assert len(city.departments.asked) == 3
        later = (await share(http, application["id"], city.sellers[1])).json()
        assert line(later, "M10H")["state"] == "shared"
        assert len(city.departments.asked) == 4


async def test_a_silent_department_is_waited_for_no_longer_than_it_may(city: City, monkeypatch: pytest.MonkeyPatch):
    class Silent:
        async def marriage(self, _: object) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(evidencing, "TOTAL_SECONDS", 0.05)
    city.house.sharing = replace(city.house.sharing, lookup=Silent())
    async with serving(city) as http:
        application = await opened(http, city)
        async with asyncio.timeout(60):
            now = (await share(http, application["id"], city.buyer)).json()
    assert (line(now, "M10")["source_state"], line(now, "M10H")["state"]) == ("unavailable", "shared")


async def test_no_record_and_another_name_are_told_to_their_own_person_only(city: City):
    seller, other = city.sellers
    del city.departments.marriages[seller.id_number]
    city.departments.marriages[other.id_number] = ("李婧", city.departments.marriages[other.id_number][1])
    async with serving(city) as http:
        application = await opened(http, city)
        seen = {}
        await share(http, application["id"], seller)
        for resident in city.all:
            shown = (await http.get(f"{BASE}/{application['id']}", headers=as_(resident))).json()
            seen[resident.name] = line(shown, "M10")
    assert {each["state"] for each in seen.values()} == {"missing"}
    states = {name: [each["state"] for each in found["evidence"]] for name, found in seen.items()}
    assert states == {
        "张明": ["not_found", "not_shared", "shared"],
        "李静": ["not_shared", "mismatch", "shared"],
        "王强": ["not_shared", "not_shared", "shared"],
    }
    assert {name: found["source_state"] for name, found in seen.items()} == {
        "张明": "not_found",
        "李静": "mismatch",
        "王强": "not_shared",
    }
    assert all("上传" in found["source_hint"] for found in seen.values())


async def test_an_upload_beside_what_was_shared(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        await share(http, application["id"], city.buyer)
        url = f"{BASE}/{application['id']}/materials/M10H/files"
        headers = as_(city.buyer, **{"Content-Type": "image/jpeg"})
        assert (await http.post(url, content=make.JPEG, headers=headers)).status_code == 201
        now = (await http.get(f"{BASE}/{application['id']}", headers=as_(city.buyer))).json()
        assert (line(now, "M10H")["state"], len(line(now, "M10H")["files"])) == ("shared", 1)
    package = await filing_materials(city, application["id"])
    assert package == {"upload": 1, "shared": 1}


async def filing_materials(city: City, application_id: str) -> dict[str, int]:
    rows = await fetch(
        "SELECT origin, COUNT(*) AS n FROM applications_material WHERE application_id = ? AND code = 'M10H' "
        "GROUP BY origin",
        [application_id],
    )
    return {row["origin"]: row["n"] for row in rows}


async def test_what_is_refused_writes_nothing_and_asks_nobody(city: City):
    stranger = await identity.resident(city.people, real_name=True, name="陈晓")
    newcomer = await identity.resident(city.people)
    async with serving(city) as http:
        application = await opened(http, city)
        before = await counts()
        url = f"{BASE}/{application['id']}/shared-materials"
        for status, code, given in (
            (401, "SESSION_MISSING", {"json": {}}),
            (403, "LEVEL_TOO_LOW", {"json": {}, "headers": as_(newcomer)}),
            (404, "APPLICATION_NOT_FOUND", {"json": {}, "headers": as_(stranger)}),
            (422, "INVALID_CONTENT", {"json": {"source": "police"}, "headers": as_(city.buyer)}),
            (
                400,
                "NOT_READABLE",
                {"content": b"{", "headers": as_(city.buyer, **{"Content-Type": "application/json"})},
            ),
            (400, "IDEMPOTENCY_KEY_MISSING", {"json": {}, "headers": as_(city.buyer, **{"Idempotency-Key": "x"})}),
        ):
            answer = await http.post(url, **given)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await counts() == before
        assert city.departments.asked == []
        await upload_missing(http, city, application)
        asked = await http.post(f"{BASE}/{application['id']}/confirmation-request", json={}, headers=as_(city.buyer))
        assert asked.status_code == 200
        late = await share(http, application["id"], city.buyer)
        assert (late.status_code, late.json()["code"]) == (409, "NOT_EDITABLE")
        assert city.departments.asked == []


async def test_two_parties_tapping_at_once(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        answers = await asyncio.gather(*(share(http, application["id"], resident) for resident in city.all))
        assert [answer.status_code for answer in answers] == [200] * 3
    found = await counts()
    assert (found["sharing_evidence"], found["applications_material"]) == (4, 4)


async def test_one_resident_has_only_so_many_people_asked_about(city: City, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sharing, "MOST_PEOPLE", 1)
    async with serving(city) as http:
        draft = await opened(http, city)
        before = await counts()
        answer = await share(http, draft["id"], city.sellers[0])
        assert (answer.status_code, answer.json()["code"]) == (429, "ASKED_ABOUT_TOO_MANY")
        assert (await counts(), city.departments.asked) == (before, [])
