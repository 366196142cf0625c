"""The hub's protocol, with a client that has the city's keys and nothing of ours."""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from sandbox.signing import yc_message
from tests.sandbox.city import City

MARRIAGE, HOUSEHOLD = "/departments/v1/lookup/marriage", "/departments/v1/identity/household"
ASKED: dict[str, Any] = {
    "request_no": "request-0001",
    "purpose": "核对共有关系",
    "legal_basis": "条例第二十四条",
    "fields": ["status", "spouse_name"],
    "subject": {"name": "张明", "id_number": "32010219850312999X"},
}
_nonces = iter(range(10**6))


def headers(
    city: City, method: str, path: str, body: bytes, *, at: int | None = None, nonce: str = ""
) -> dict[str, str]:
    key = load_pem_private_key(city.secret("city_hub_key.pem").encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    stamp, nonce = str(at or int(time.time())), nonce or f"n{next(_nonces)}"
    message = yc_message(method=method, path=path, timestamp=stamp, nonce=nonce, body=body)
    signature = b64encode(key.sign(message)).decode()
    return {
        "Yc-Key-Id": city.ids["city_key_id"],
        "Yc-Timestamp": stamp,
        "Yc-Nonce": nonce,
        "Yc-Signature": signature,
    }


async def ask(city: City, path: str = MARRIAGE, **changes: Any) -> httpx.Response:
    body = json.dumps(ASKED | changes, ensure_ascii=False).encode()
    return await city.http.post(path, content=body, headers=headers(city, "POST", path, body))


def verify(city: City, answer: httpx.Response, method: str, path: str) -> None:
    key = load_pem_public_key(city.secret("hub_public.pem").encode())
    assert isinstance(key, Ed25519PublicKey)
    stamp, nonce = answer.headers["Yc-Timestamp"], answer.headers["Yc-Nonce"]
    message = yc_message(method=method, path=path, timestamp=stamp, nonce=nonce, body=answer.content)
    key.verify(b64decode(answer.headers["Yc-Signature"]), message)


async def test_a_signed_answer_with_the_fields_asked_for_and_no_others(city: City):
    answer = await ask(city)
    verify(city, answer, "POST", MARRIAGE)
    assert answer.json()["record"] == {"status": "married", "spouse_name": "李静"}
    assert (answer.json()["request_no"], answer.json()["result"]) == ("request-0001", "found")
    assert (await ask(city)).json() == answer.json()
    status = await city.http.get("/departments/v1/status", headers=headers(city, "GET", "/departments/v1/status", b""))
    verify(city, status, "GET", "/departments/v1/status")


@pytest.mark.parametrize(
    ("path", "subject", "result"),
    [
        (MARRIAGE, ("李静", "320102198709219982"), "found"),
        (MARRIAGE, ("陈晓", "320106199208159969"), "found"),
        (MARRIAGE, ("周老", "32010419401001999X"), "not_found"),
        (MARRIAGE, ("王小宝", "320114201506019999"), "not_found"),
        (MARRIAGE, ("周芳", "320104196801059989"), "mismatch"),
        (HOUSEHOLD, ("王强", "320106199003079973"), "found"),
        (HOUSEHOLD, ("王大强", "320106199003079973"), "mismatch"),
    ],
)
async def test_who_is_on_file(city: City, path: str, subject: tuple[str, str], result: str):
    fields = ["status"] if path == MARRIAGE else ["name", "relation", "minor"]
    answer = await ask(city, path, subject={"name": subject[0], "id_number": subject[1]}, fields=fields)
    assert answer.json()["result"] == result
    assert (answer.json()["record"] is not None) is (result == "found")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"purpose": ""}, 422, "PURPOSE_MISSING"),
        ({"legal_basis": "  "}, 422, "LEGAL_BASIS_MISSING"),
        ({"fields": ["status", "income"]}, 403, "FIELD_NOT_GRANTED"),
        ({"fields": []}, 400, "BODY_INVALID"),
        ({"subject": {"name": "张明"}}, 400, "BODY_INVALID"),
        ({"surprise": 1}, 400, "BODY_INVALID"),
    ],
)
async def test_what_is_refused(city: City, changes: dict[str, Any], status: int, code: str):
    answer = await ask(city, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await city.control("GET", "/departments/questions"))["items"] == []


async def test_a_number_is_for_one_question(city: City):
    await ask(city)
    answer = await ask(city, fields=["status"])
    assert (answer.status_code, answer.json()["code"]) == (409, "REQUEST_NO_USED")


async def test_signatures_that_do_not_hold(city: City):
    body = json.dumps(ASKED).encode()
    stale = headers(city, "POST", MARRIAGE, body, at=int(time.time()) - 301)
    other = headers(city, "POST", HOUSEHOLD, body)
    good = headers(city, "POST", MARRIAGE, body, nonce="good")
    codes = []
    for given in (stale, other, {}, good, good):
        answer = await city.http.post(MARRIAGE, content=body, headers=given)
        codes.append((answer.status_code, answer.json().get("code")))
    refused = (401, "SIGNATURE_INVALID")
    assert codes == [(401, "TIMESTAMP_OUT_OF_WINDOW"), refused, refused, (200, None), (401, "NONCE_REUSED")]


async def test_the_desk_changes_what_is_on_file_and_sees_what_was_asked(city: City):
    record = {"status": "divorced", "registered_on": None, "spouse_name": None, "spouse_id_number_masked": None}
    await city.control("POST", "/departments/records", source="marriage", person="P1", record=record)
    assert (await ask(city)).json()["record"]["status"] == "divorced"
    await city.control("POST", "/departments/records", source="marriage", person="P1", record=None)
    assert (await ask(city, request_no="request-0002")).json()["result"] == "not_found"
    await city.control("POST", "/departments/records", source="marriage", person="P1", name="张铭", record=record)
    assert (await ask(city, request_no="request-0003")).json()["result"] == "mismatch"
    asked = (await city.control("GET", "/departments/questions"))["items"]
    assert [each["result"] for each in asked] == ["found", "not_found", "mismatch"]
    wrong = await city.http.post(
        "/_control/departments/records", json={"source": "marriage", "person": "P1", "record": {"status": "happy"}}
    )
    assert wrong.status_code == 422


async def test_a_spoilt_answer(city: City, fault: Callable[..., Awaitable[None]]):
    await fault("departments.marriage", "wrong_signature")
    answer = await ask(city)
    with pytest.raises(InvalidSignature):
        verify(city, answer, "POST", MARRIAGE)
    verify(city, await ask(city), "POST", MARRIAGE)
