from collections.abc import AsyncIterator

import httpx
import pytest

from tests.factories.identity import World, id_number, resident, world
from tests.support.resident_phone import keyed, resident_phone


@pytest.fixture
def city(db: object) -> World:
    return world()


@pytest.fixture
async def phone(city: World) -> AsyncIterator[httpx.AsyncClient]:
    async with resident_phone(city) as http:
        yield http


async def test_from_the_login_code_to_the_real_name(city: World, phone: httpx.AsyncClient) -> None:
    login = await phone.post("/api/v1/sessions/wechat", json={"code": city.wallet.give_login_code("oA")})
    assert login.status_code == 201
    token = login.json()["token"]
    assert login.json()["resident"] | {"id": ""} == {
        "id": "",
        "level": 1,
        "level_text": "已登录",
        "name_masked": None,
        "id_number_masked": None,
        "phone_masked": None,
        "version": 1,
    }
    assert login.json()["expires_at"] == "2026-11-22T00:00:00+08:00"
    code = city.wallet.give_phone_code("oA", "13800001234")
    for _ in range(2):
        bound = await phone.post("/api/v1/me/phone", json={"code": code}, headers=keyed(token, "phone-01"))
        assert (bound.status_code, bound.json()["phone_masked"]) == (200, "138****1234")
    asked = {"action": "real_name", "name": "王小强", "id_number": id_number()}
    first = await phone.post("/api/v1/face-checks", json=asked, headers=keyed(token, "face-0001"))
    again = await phone.post("/api/v1/face-checks", json=asked, headers=keyed(token, "face-0001"))
    assert first.status_code == 201
    assert again.json() == first.json()
    assert first.json()["state"] == "opened"
    result = f"/api/v1/face-checks/{first.json()['id']}/result"
    early = await phone.post(result, json={}, headers=keyed(token, "result-01"))
    assert early.json()["state"] == "opened"
    city.face.look(first.json()["verify_id"])
    passed = await phone.post(result, json={}, headers=keyed(token, "result-01"))
    assert (passed.status_code, passed.json()["state"], passed.json()["state_text"]) == (200, "passed", "人脸核验通过")
    shown = await phone.get("/api/v1/me", headers=keyed(token, "x"))
    assert (shown.json()["level"], shown.json()["name_masked"]) == (3, "王*强")
    assert shown.headers["etag"] == '"3"'


async def test_a_used_code_a_wrong_check_digit_and_a_missing_session(city: World, phone: httpx.AsyncClient) -> None:
    made = await resident(city)
    code = city.wallet.give_login_code("oB")
    assert (await phone.post("/api/v1/sessions/wechat", json={"code": code})).status_code == 201
    used = await phone.post("/api/v1/sessions/wechat", json={"code": code})
    assert (used.status_code, used.json()["code"]) == (422, "LOGIN_CODE_REJECTED")
    number = id_number()
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    asked = {"action": "real_name", "name": "王小强", "id_number": wrong}
    refused = await phone.post("/api/v1/face-checks", json=asked, headers=keyed(made.token, "face-0002"))
    assert (refused.status_code, refused.json()["code"]) == (422, "ID_CHECK_DIGIT_WRONG")
    assert refused.json()["errors"][0]["field"] == "id_number"
    assert wrong not in refused.text
    unknown = await phone.post(
        "/api/v1/face-checks", json={**asked, "passed": True}, headers=keyed(made.token, "face-0003")
    )
    assert (unknown.status_code, unknown.json()["code"]) == (422, "INVALID_CONTENT")
    assert (await phone.get("/api/v1/me")).json()["code"] == "SESSION_MISSING"


async def test_signing_out_ends_the_session(city: World, phone: httpx.AsyncClient) -> None:
    made = await resident(city, real_name=True)
    bearer = {"Authorization": f"Bearer {made.token}"}
    assert (await phone.get("/api/v1/me", headers=bearer)).status_code == 200
    assert (await phone.delete("/api/v1/sessions/current", headers=bearer)).status_code == 204
    assert (await phone.get("/api/v1/me", headers=bearer)).status_code == 401


async def test_another_residents_check_is_not_there(city: World, phone: httpx.AsyncClient) -> None:
    made, other = await resident(city), await resident(city)
    asked = {"action": "real_name", "name": made.name, "id_number": made.id_number}
    opened = await phone.post("/api/v1/face-checks", json=asked, headers=keyed(made.token, "face-0004"))
    result = f"/api/v1/face-checks/{opened.json()['id']}/result"
    refused = await phone.post(result, json={}, headers=keyed(other.token, "result-02"))
    assert (refused.status_code, refused.json()["code"]) == (404, "FACE_CHECK_NOT_FOUND")
