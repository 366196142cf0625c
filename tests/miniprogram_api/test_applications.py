"""The phone's way from opening an application to its receipt, over real HTTP."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sanic import Request

from kit.ids import new_id
from kit.web.access import Principal
from miniprogram_api import applications, catalogue, confirmations, materials, progress
from server.applications import service
from server.identity import queries as identity_queries
from tests.factories import applications as make
from tests.factories import filing as town
from tests.factories import identity
from tests.factories.filing import City
from tests.factories.identity import MadeResident
from tests.support.serving import edge, served
from tests.support.statements import statements

BASE = "/api/v1/applications"
NOUNS = (applications, catalogue, confirmations, materials, progress)


@pytest.fixture
async def city(db: object, tmp_path: Path) -> City:
    return await town.city(tmp_path / "files")


@asynccontextmanager
async def serving(city: City) -> AsyncIterator[httpx.AsyncClient]:
    async def who(request: Request) -> Principal | None:
        return await identity_queries.authenticate(city.house.identity, token=request.token or "")

    door = edge(authenticators={"resident": who}, clock=city.files.clock)
    blueprints = [noun.blueprint(city.house, door) for noun in NOUNS]
    async with (
        served(blueprints, max_body_bytes=1024 * 1024) as base_url,
        httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=20) as http,
    ):
        yield http


def as_(resident: MadeResident, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {resident.token}", "Idempotency-Key": new_id(), **more}


def typed(city: City, **changes: Any) -> dict[str, Any]:
    sides = [("seller", city.sellers[0]), ("seller", city.sellers[1]), ("buyer", city.buyer)]
    parties = [
        {"role": role, "name": each.name, "id_number": each.id_number.lower(), "phone": "+86 138 0013 8000"}
        for role, each in sides
    ]
    parties[2]["share"] = {"numerator": 1, "denominator": 1}  # type: ignore[assignment]
    wish = {
        "business_type": "transfer_resale",
        "unit_code": "320114 001002 GB00012 F00180302",
        "certificate_number": "苏（2019）南京市不动产权第0000012号",
        "price_fen": make.PRICE,
        "sole_home_over_five_years": True,
        "parties": parties,
    }
    return {**wish, **changes}


async def opened(http: httpx.AsyncClient, city: City) -> dict[str, Any]:
    answer = await http.post(BASE, json=typed(city), headers=as_(city.sellers[0]))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def uploaded(http: httpx.AsyncClient, city: City, application: dict[str, Any]) -> None:
    for line in application["materials"]:
        if line["required"] and line["form"] == "uploaded":
            whose = {"party_id": line["party_id"]} if line["party_id"] else {}
            answer = await http.post(
                f"{BASE}/{application['id']}/materials/{line['code']}/files",
                params=whose,
                content=make.JPEG + line["code"].encode(),
                headers=as_(city.buyer, **{"Content-Type": "image/jpeg"}),
            )
            assert answer.status_code == 201, answer.text


async def asked(http: httpx.AsyncClient, city: City) -> str:
    application = await opened(http, city)
    await uploaded(http, city, application)
    answer = await http.post(f"{BASE}/{application['id']}/confirmation-request", json={}, headers=as_(city.sellers[0]))
    assert (answer.status_code, answer.json()["state"]) == (200, "awaiting_confirmation")
    return str(application["id"])


async def confirm(http: httpx.AsyncClient, city: City, application_id: str, resident: MadeResident) -> httpx.Response:
    url = f"{BASE}/{application_id}"
    questions = (await http.get(f"{url}/inquiry", headers=as_(resident))).json()["questions"]
    answers = {question["code"]: question["options"][0]["code"] for question in questions}
    shown = (await http.put(f"{url}/inquiry", json={"answers": answers}, headers=as_(resident))).json()
    check = await identity.confirmed_check(city.people, resident, digest=shown["digest"])
    body = {
        "digest": shown["digest"],
        "face_check_id": check,
        "signature_png_base64": base64.b64encode(make.PNG).decode(),
    }
    return await http.post(f"{url}/confirmations", json=body, headers=as_(resident))


async def test_from_opening_to_the_receipt(city: City):
    async with serving(city) as http:
        application_id = await asked(http, city)
        url = f"{BASE}/{application_id}"
        assert (await http.get(f"{url}/documents/receipt", headers=as_(city.buyer))).status_code == 404
        for resident in city.all:
            assert (await confirm(http, city, application_id, resident)).status_code == 201
        headers = as_(city.sellers[1])
        done = await http.post(f"{url}/submission", json={}, headers=headers)
        again = await http.post(f"{url}/submission", json={}, headers=headers)
        assert (done.status_code, again.status_code) == (201, 201)
        assert done.json()["receipt"] == again.json()["receipt"]
        assert done.json()["receipt"]["number"] == "SJ-20260316-320114-000001"
        new_key = await http.post(f"{url}/submission", json={}, headers=as_(city.buyer))
        assert (new_key.status_code, new_key.json()["code"]) == (409, "ALREADY_SUBMITTED")
        receipt = (await http.get(f"{url}/documents/receipt", headers=as_(city.buyer))).json()
        assert receipt["title"] == "收件回执"
        assert "材料：申请人身份证明，3份文件" in receipt["lines"]
        early = await http.get(f"{url}/documents/acceptance", headers=as_(city.buyer))
        assert (early.status_code, early.json()["code"]) == (404, "DOCUMENT_NOT_READY")
        await make.accept(city.files, make.Case(application_id, make.people()[:2], make.people()[2]))
        voucher = (await http.get(f"{url}/documents/acceptance", headers=as_(city.buyer))).json()
        assert voucher["number"] == "20260316-320114-000001"
        assert (await http.get(f"{url}/documents/anything", headers=as_(city.buyer))).status_code == 404
        now = (await http.get(url, headers=as_(city.buyer))).json()
        assert {track["code"]: track["state_text"] for track in now["tracks"]}["review"] == "办理中"


async def test_what_the_phone_sees_is_masked(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        shown = (await http.get(f"{BASE}/{application['id']}", headers=as_(city.buyer))).text
    for secret in ("张明", "李静", "王强", "32010219850312999X", "13800138000"):
        assert secret not in shown
    parties = {party["name_masked"]: party for party in application["parties"]}
    assert [party["is_me"] for party in parties.values()] == [True, False, False]
    assert parties["张*"]["role_text"] == "卖方"
    assert parties["王*"]["role"] == "buyer"
    assert parties["王*"]["id_number_masked"].endswith("9973")
    assert parties["王*"]["share"] == {"numerator": 1, "denominator": 1}
    states = {material["code"]: material["state"] for material in application["materials"]}
    assert (states["M01"], states["M07"], states["M09"]) == ("generated", "missing", "elsewhere")
    assert sum(material["code"] == "M02" for material in application["materials"]) == 3


@pytest.mark.parametrize(
    ("place", "value", "field", "code"),
    [
        ("id_number", "320106199003079974", "parties.2.id_number", "ID_NUMBER_CHECK"),
        ("name", "王3", "parties.2.name", "NAME_INVALID"),
        ("phone", "12345", "parties.2.phone", "PHONE_INVALID"),
        ("share", {"numerator": 3, "denominator": 2}, "parties.2.share", "SHARE_INVALID"),
        ("colour", "red", "parties.2.colour", "EXTRA_FORBIDDEN"),
    ],
)
async def test_a_wrong_party_is_told_by_field(city: City, place: str, value: object, field: str, code: str):
    wish = typed(city)
    wish["parties"][2][place] = value
    async with serving(city) as http:
        answer = await http.post(BASE, json=wish, headers=as_(city.sellers[0]))
    assert answer.status_code == 422
    assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {(field, code)}
    assert str(value) not in answer.text or place == "colour"


async def test_the_openers_own_data_is_prefilled(city: City):
    wish = typed(city)
    wish["parties"][0] = {"role": "seller", "is_me": True}
    async with serving(city) as http:
        answer = await http.post(BASE, json=wish, headers=as_(city.sellers[0]))
    assert answer.status_code == 201, answer.text
    (me,) = [party for party in answer.json()["parties"] if party["is_me"]]
    assert (me["role"], me["name_masked"]) == ("seller", "张*")


@pytest.mark.parametrize(
    ("party", "code"),
    [
        ({"role": "buyer", "is_me": True, "name": "王强"}, "PARTY_IS_ME"),
        ({"role": "buyer", "name": "王强"}, "PARTY_INCOMPLETE"),
    ],
)
async def test_a_party_is_typed_in_or_is_me(city: City, party: dict[str, Any], code: str):
    wish = typed(city)
    wish["parties"][2] = party
    async with serving(city) as http:
        answer = await http.post(BASE, json=wish, headers=as_(city.sellers[0]))
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("parties.2", code)]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"price_fen": 0}, 422, "INVALID_CONTENT"),
        ({"unit_code": "123"}, 422, "INVALID_CONTENT"),
        ({"certificate_number": "第12号"}, 422, "INVALID_CONTENT"),
        ({"certificate_number": "苏(2019)南京市不动产权第0000099号"}, 404, "UNIT_NOT_FOUND"),
        ({"business_type": "WISHES"}, 422, "BUSINESS_UNKNOWN"),
    ],
)
async def test_a_wrong_wish_is_refused(city: City, changes: dict[str, Any], status: int, code: str):
    async with serving(city) as http:
        answer = await http.post(BASE, json=typed(city, **changes), headers=as_(city.sellers[0]))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_another_residents_application_is_not_there(city: City):
    stranger = await identity.resident(city.people, real_name=True, name="陈晓")
    newcomer = await identity.resident(city.people)
    async with serving(city) as http:
        url = f"{BASE}/{(await opened(http, city))['id']}"
        for path in ("", "/progress", "/inquiry", "/documents/receipt"):
            answer = await http.get(url + path, headers=as_(stranger))
            assert (answer.status_code, answer.json()["code"]) == (404, "APPLICATION_NOT_FOUND")
        for path in ("/submission", "/withdrawal", "/reopening", "/confirmation-request"):
            answer = await http.post(url + path, json={}, headers=as_(stranger))
            assert answer.status_code == 404
        assert (await http.get(url, headers=as_(newcomer))).status_code == 403
        assert (await http.get(url)).status_code == 401
        assert (await http.get(BASE, headers=as_(stranger))).json() == {"items": [], "next": None}


async def test_files_are_told_apart_by_what_is_wrong_with_them(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        url = f"{BASE}/{application['id']}/materials/M07/files"

        async def upload(content: bytes, kind: str) -> tuple[int, str | None]:
            headers = as_(city.buyer, **{"Content-Type": kind})
            answer = await http.post(url, content=content, headers=headers)
            return answer.status_code, answer.json().get("code")

        assert await upload(make.JPEG, "text/plain") == (415, "WRONG_MEDIA_TYPE")
        assert await upload(make.PDF, "image/jpeg") == (422, "FILE_NOT_WHAT_IT_SAYS")
        assert await upload(b"", "image/jpeg") == (422, "FILE_EMPTY")
        assert await upload(make.JPEG + bytes(21 * 1024 * 1024), "image/jpeg") == (413, "FILE_TOO_LARGE")
        headers = as_(city.buyer, **{"Content-Type": "image/jpeg"})
        first = await http.post(url, content=make.JPEG, headers=headers)
        again = await http.post(url, content=make.JPEG, headers=headers)
        assert first.json() == again.json()
        assert set(first.json()) == {"id", "code", "digest", "mime", "size"}
        gone = await http.delete(f"{url}/{first.json()['id']}", headers=as_(city.buyer))
        assert gone.status_code == 204
        assert (await http.delete(f"{url}/{first.json()['id']}", headers=as_(city.buyer))).status_code == 404


async def test_missing_materials_are_named(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        answer = await http.post(f"{BASE}/{application['id']}/confirmation-request", json={}, headers=as_(city.buyer))
    assert (answer.status_code, answer.json()["code"]) == (422, "MATERIALS_MISSING")
    assert "materials.M08" in {error["field"] for error in answer.json()["errors"]}


async def test_a_draft_is_edited_with_its_version(city: City):
    async with serving(city) as http:
        application = await opened(http, city)
        url = f"{BASE}/{application['id']}"
        headers = as_(city.buyer, **{"If-Match": '"1"'})
        edited = await http.patch(url, json={"price_fen": 5}, headers=headers)
        assert (edited.json()["price_fen"], edited.headers["etag"]) == (5, '"2"')
        stale = await http.patch(url, json={"price_fen": 6}, headers=headers)
        assert (stale.status_code, stale.json()["code"]) == (412, "VERSION_STALE")
        blind = await http.patch(url, json={"price_fen": 6}, headers=as_(city.buyer))
        assert (blind.status_code, blind.json()["code"]) == (412, "VERSION_MISSING")


async def test_refusing_withdrawing_and_reopening(city: City):
    async with serving(city) as http:
        first, second = await asked(http, city), await asked(http, city)
        back = await http.post(f"{BASE}/{second}/reopening", json={}, headers=as_(city.buyer))
        assert back.json()["state"] == "draft"
        gone = await http.post(f"{BASE}/{second}/withdrawal", json={}, headers=as_(city.buyer))
        assert gone.json()["state_text"] == "已撤回"
        for said in ("\u200b\u200b", "…", "\u202e"):
            empty = await http.post(f"{BASE}/{first}/refusal", json={"reason": said}, headers=as_(city.buyer))
            assert (empty.status_code, empty.json()["errors"][0]["code"]) == (422, "REASON_EMPTY")
        no = await http.post(f"{BASE}/{first}/refusal", json={"reason": "价格\u202e不对"}, headers=as_(city.buyer))
        assert (no.json()["state"], no.json()["notice"]["reason"]) == ("party_refused", "价格 不对")
        page = (await http.get(BASE, params={"limit": 1}, headers=as_(city.buyer))).json()
        assert [item["id"] for item in page["items"]] == [second]
        rest = (await http.get(BASE, params={"cursor": page["next"]}, headers=as_(city.buyer))).json()
        assert ([item["id"] for item in rest["items"]], rest["next"]) == ([first], None)


async def test_a_confirmation_with_a_damaged_signature(city: City):
    async with serving(city) as http:
        application_id = await asked(http, city)
        body = {"digest": "0" * 64, "face_check_id": "0" * 32, "signature_png_base64": "***"}
        answer = await http.post(f"{BASE}/{application_id}/confirmations", json=body, headers=as_(city.buyer))
    assert (answer.status_code, answer.json()["code"]) == (422, "SIGNATURE_INVALID")


async def test_money_and_taxes_are_shown(city: City):
    async with serving(city) as http:
        case = await make.accepted(city.files)
        needs = city.files.needs
        await make_known(case, city.buyer)
        await service.declare_taxes(needs, application_id=case.id)
        order = new_id()
        await service.record_fee_order(needs, application_id=case.id, order_id=order, amount_fen=8000)
        shown = (await http.get(f"{BASE}/{case.id}", headers=as_(city.buyer))).json()
        assert shown["fee"] == {"order_id": order, "amount_fen": 8000, "state": "open", "state_text": "待缴费"}
        assert (shown["taxes"][0]["tax_text"], shown["taxes"][0]["payer_text"]) == ("契税", "买方")
        await service.record_fee_settled(
            needs,
            application_id=case.id,
            order_id=order,
            amount_fen=8000,
            paid_at=city.files.clock.now(),
            transaction_id="1",
        )
        shown = (await http.get(f"{BASE}/{case.id}", headers=as_(city.buyer))).json()
        assert shown["fee"]["state"] == "settled"


async def make_known(case: make.Case, resident: MadeResident) -> None:
    from server.applications.models import ApplicationParty

    await ApplicationParty.filter(resident_id=case.buyer.resident_id).update(resident_id=resident.id)


async def test_progress_takes_two_selects_with_the_session(city: City, monkeypatch: pytest.MonkeyPatch):
    async with serving(city) as http:
        application = await opened(http, city)
        with statements(monkeypatch) as sent:
            answer = await http.get(f"{BASE}/{application['id']}/progress", headers=as_(city.buyer))
    assert [step["code"] for step in answer.json()["steps"]] == ["opened"]
    assert len(sent) == 2, sent
    assert sum("applications_" in query for query in sent) == 1


async def test_the_guide_is_for_everybody(city: City):
    async with serving(city) as http:
        guide = (await http.get("/api/v1/catalogue/businesses/transfer_resale?district=320114")).json()
        assert (guide["code"], guide["time_limit_working_days"]) == ("TRANSFER_RESALE", 5)
        assert guide["fee_due_text"] == "审核通过后"
        assert {fee["base_fen"] for fee in guide["fees"]} >= {8000, 55000}
        assert [line["code"] for line in guide["materials"] if line["always"]][:4] == ["M01", "M02", "M03", "M04"]
        assert [step["code"] for step in guide["steps"]][:1] == ["acceptance"]
        assert {law["title"] for law in guide["laws"]} >= {"不动产登记暂行条例", "中华人民共和国契税法"}
        assert all(law["articles"] and law["subject"] for law in guide["laws"])
        missing = await http.get("/api/v1/catalogue/businesses/wishes")
        assert (missing.status_code, missing.json()["code"]) == (404, "NOT_FOUND")
