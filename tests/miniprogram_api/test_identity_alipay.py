"""The way of an Alipay user over HTTP, and what is refused on it without leaving a row."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kit.db import fetch
from server.adapters.absent import Absent
from server.adapters.fake_face import FakeFace
from server.adapters.fake_login import FakeAlipay
from server.identity.ports import WalletDoor
from tests.factories.identity import World, id_number, resident, world
from tests.support.resident_phone import keyed, resident_phone

PAGE = "https://alipay.example/certify"


@pytest.fixture
def alipay() -> FakeAlipay:
    return FakeAlipay()


@pytest.fixture
def city(db: object, alipay: FakeAlipay) -> World:
    """Alipay alone is configured; WeChat stands there as what is not."""
    made = world(wallet=alipay, face=FakeFace(page=PAGE))
    down: Any = Absent("wechat")
    doors = {**made.needs.wallets, "wechat": WalletDoor(down, down, down)}
    return replace(made, needs=replace(made.needs, wallets=doors))


@pytest.fixture
async def phone(city: World) -> AsyncIterator[httpx.AsyncClient]:
    async with resident_phone(city) as http:
        yield http


async def rows(table: str) -> int:
    return len(await fetch(f"SELECT id FROM {table}"))  # noqa: S608 - names of ours


async def test_from_the_login_code_to_the_real_name(city: World, alipay: FakeAlipay, phone: httpx.AsyncClient) -> None:
    login = await phone.post("/api/v1/sessions/alipay", json={"code": alipay.give_login_code("a1")})
    assert login.status_code == 201
    token = login.json()["token"]
    proof = alipay.give_phone("13800001234")
    body = {"response": proof.response, "sign": proof.sign}
    for _ in range(2):
        bound = await phone.post("/api/v1/me/phone", json=body, headers=keyed(token, "phone-01"))
        assert (bound.status_code, bound.json()["phone_masked"]) == (200, "138****1234")
    asked = {"action": "real_name", "name": "王小强", "id_number": id_number()}
    opened = await phone.post("/api/v1/face-checks", json=asked, headers=keyed(token, "face-0001"))
    again = await phone.post("/api/v1/face-checks", json=asked, headers=keyed(token, "face-0001"))
    assert opened.status_code == 201
    assert again.json() == opened.json()
    assert opened.json()["verify_url"] == f"{PAGE}?certify_id={opened.json()['verify_id']}"
    city.face.look(opened.json()["verify_id"])
    result = f"/api/v1/face-checks/{opened.json()['id']}/result"
    passed = await phone.post(result, json={}, headers=keyed(token, "result-01"))
    assert (passed.status_code, passed.json()["state"]) == (200, "passed")
    assert (await phone.get("/api/v1/me", headers=keyed(token, "x"))).json()["level"] == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "never given"}, 422, "LOGIN_CODE_REJECTED"),
        ({"code": ""}, 422, "INVALID_CONTENT"),
        ({"code": "x" * 129}, 422, "INVALID_CONTENT"),
        ({"code": 5}, 422, "INVALID_CONTENT"),
        ({}, 422, "INVALID_CONTENT"),
        ({"code": "c", "wallet": "wechat"}, 422, "INVALID_CONTENT"),
    ],
)
async def test_login_codes_that_are_none(
    phone: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    refused = await phone.post("/api/v1/sessions/alipay", json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await rows("identity_session"), await rows("identity_resident"), await rows("kit_audit")) == (0, 0, 0)


async def test_a_code_is_good_once_and_for_its_own_wallet(alipay: FakeAlipay, phone: httpx.AsyncClient) -> None:
    code = alipay.give_login_code("a1")
    elsewhere = await phone.post("/api/v1/sessions/wechat", json={"code": code})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (503, "OUTSIDE_UNAVAILABLE")
    assert (await phone.post("/api/v1/sessions/alipay", json={"code": code})).status_code == 201
    used = await phone.post("/api/v1/sessions/alipay", json={"code": code})
    assert (used.status_code, used.json()["code"]) == (422, "LOGIN_CODE_REJECTED")
    assert await rows("identity_session") == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_CONTENT"),
        ({"response": "sealed:13800001234"}, "INVALID_CONTENT"),
        ({"sign": "signed:13800001234"}, "INVALID_CONTENT"),
        ({"code": "c", "response": "r", "sign": "s"}, "INVALID_CONTENT"),
        ({"response": "r" * 5000, "sign": "s"}, "INVALID_CONTENT"),
        ({"response": {"mobile": "13800001234"}, "sign": "s"}, "INVALID_CONTENT"),
        ({"response": "sealed:13800001234", "sign": "forged"}, "PHONE_CODE_REJECTED"),
        ({"response": "13800001234", "sign": "signed:13800001234"}, "PHONE_CODE_REJECTED"),
        ({"code": "a WeChat code"}, "PHONE_CODE_REJECTED"),
    ],
)
async def test_phone_proofs_that_are_none(
    city: World, alipay: FakeAlipay, phone: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    made = await resident(city)
    alipay.give_phone("13800001234")
    refused = await phone.post("/api/v1/me/phone", json=body, headers=keyed(made.token, "phone-01"))
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert "13800001234" not in refused.text
    assert await fetch("SELECT id FROM identity_resident WHERE phone_sealed IS NOT NULL OR level > 1") == []


async def test_a_phone_abroad(city: World, alipay: FakeAlipay, phone: httpx.AsyncClient) -> None:
    made = await resident(city)
    proof = alipay.give_phone("+85291234567")
    body = {"response": proof.response, "sign": proof.sign}
    refused = await phone.post("/api/v1/me/phone", json=body, headers=keyed(made.token, "phone-01"))
    assert (refused.status_code, refused.json()["code"]) == (422, "PHONE_NOT_MAINLAND")
