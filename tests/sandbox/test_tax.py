import json
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.signing import yc_message
from tests.sandbox.city import City, Receiver

PATH = "/tax/v1/declarations"
SALE = {
    "declaration_no": "D1",
    "case_no": "20261121-320114-000001",
    "unit_code": "320114001002GB00012F00180302",
    "area_centiare": 8950,
    "price_fen": 200_000_000,
    "held_since": "2019-05-10",
    "sole_home_over_five_years": True,
    "usage": "住宅",
    "sellers": [
        {"name": "张明", "id_number": "32010219850312999X"},
        {"name": "李静", "id_number": "320102198709219982"},
    ],
    "buyers": [{"name": "王强", "id_number": "320106199003079973"}],
    "notify_url": "https://city.example/callbacks/tax",
}
_nonces = iter(range(10**6))


async def declare(city: City, *, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
    body = json.dumps(SALE | changes, ensure_ascii=False).encode()
    signed = city.declaration_headers(PATH, body, timestamp=int(time.time()), nonce=f"n{next(_nonces)}")
    return await city.http.post(PATH, content=body, headers=signed | (headers or {}))


def verify(city: City, headers: Any, method: str, path: str, body: bytes) -> None:
    """Raises InvalidSignature unless the bureau signed this."""
    key = load_pem_public_key(city.secret("tax_bureau_public.pem").encode())
    assert isinstance(key, Ed25519PublicKey)
    message = yc_message(
        method=method, path=path, timestamp=headers["Yc-Timestamp"], nonce=headers["Yc-Nonce"], body=body
    )
    key.verify(b64decode(headers["Yc-Signature"]), message)


async def test_the_status_tries_the_signatures(city: City):
    path, timestamp = "/tax/v1/status", str(int(time.time()))
    message = yc_message(method="GET", path=path, timestamp=timestamp, nonce="status", body=b"")
    signed = {
        "Yc-Key-Id": city.ids["city_key_id"],
        "Yc-Timestamp": timestamp,
        "Yc-Nonce": "status",
        "Yc-Signature": b64encode(city._key("city_tax_key.pem").sign(message)).decode(),
    }
    answer = await city.http.get(path, headers=signed)
    verify(city, answer.headers, "GET", path, answer.content)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    for strange in ({"Yc-Nonce": "another"}, {"Yc-Key-Id": "nobody"}):
        refused = await city.http.get(path, headers=signed | strange)
        assert (refused.status_code, refused.json()["code"]) == (401, "SIGNATURE_INVALID")


async def test_the_assessment_of_a_first_home(city: City):
    answer = await declare(city)
    assert answer.status_code == 200
    told = answer.json()
    assert told["declaration_no"] == "D1"
    assert told["taxes"] == [
        {"tax": "deed_tax", "payer": "buyer", "amount_fen": 2_000_000},
        {"tax": "vat", "payer": "seller", "amount_fen": 0},
        {"tax": "surcharge", "payer": "seller", "amount_fen": 0},
        {"tax": "income_tax", "payer": "seller", "amount_fen": 0},
    ]
    verify(city, answer.headers, "POST", PATH, answer.content)
    assert (await declare(city)).content == answer.content


async def test_the_bureau_knows_how_many_homes_there_are(city: City):
    await city.control("PATCH", "/people/P3", homes=1)
    large = {"declaration_no": "D2", "area_centiare": 15_020}
    assert (await declare(city, **large)).json()["taxes"][0]["amount_fen"] == 4_000_000


async def test_the_same_number_for_another_sale(city: City):
    await declare(city)
    answer = await declare(city, price_fen=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "DECLARATION_NO_USED")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"price_fen": "200"}, 400),
        ({"unit_code": "1"}, 400),
        ({"surprise": 1}, 400),
        ({"held_since": "2019-13-01"}, 400),
        ({"notify_url": "http://city.example/"}, 400),
        ({"buyers": []}, 400),
        ({"buyers": [{"name": "王小强", "id_number": "320106199003079973"}]}, 422),
    ],
)
async def test_what_is_refused(city: City, changes: dict[str, Any], status: int):
    assert (await declare(city, **changes)).status_code == status
    assert (await city.control("GET", "/tax/declarations"))["items"] == []


async def test_signatures_that_do_not_hold(city: City):
    now = int(time.time())
    body = json.dumps(SALE).encode()
    stale = city.declaration_headers(PATH, body, timestamp=now - 301, nonce="stale")
    other_path = city.declaration_headers(PATH + "?a=1", body, timestamp=now, nonce="other")
    good = city.declaration_headers(PATH, body, timestamp=now, nonce="good")
    codes = []
    for headers in (stale, other_path, good | {"Yc-Key-Id": "stranger"}, {}, good, good):
        answer = await city.http.post(PATH, content=body, headers=headers)
        codes.append((answer.status_code, answer.json().get("code")))
    refused = (401, "SIGNATURE_INVALID")
    assert codes == [
        (401, "TIMESTAMP_OUT_OF_WINDOW"),
        refused,
        refused,
        refused,
        (200, None),
        (401, "NONCE_REUSED"),
    ]


async def test_paying_calls_back_until_it_is_heard(city: City, receiver: Receiver):
    receiver.statuses = [503, 200]
    url = receiver.url + "/tax?district=320114"
    await declare(city, notify_url=url)
    await city.control("POST", "/tax/pay", case_no=SALE["case_no"])
    (first, body), (second, again) = await receiver.wait_for(2)
    assert body == again
    assert first["Yc-Nonce"] != second["Yc-Nonce"]
    for headers in (first, second):
        verify(city, headers, "POST", f"{urlsplit(url).path}?district=320114", body)
    event = json.loads(body)
    assert (event["status"], event["declaration_no"], event["taxes"][0]["amount_fen"]) == ("cleared", "D1", 2_000_000)
    await city.control("POST", "/tax/pay", declaration_no="D1")
    assert (await city.control("GET", "/tax/declarations"))["items"][0]["event"] == event


async def test_extra_callbacks(city: City, receiver: Receiver):
    await declare(city, notify_url=receiver.url)
    early = await city.http.post("/_control/tax/notify", json={"declaration_no": "D1", "replay": True})
    assert early.status_code == 409
    await city.control("POST", "/tax/pay", declaration_no="D1")
    _, honest = (await receiver.wait_for(1))[0]
    assert await city.control("POST", "/tax/notify", declaration_no="D1") == {"status": 204, "body": ""}
    await city.control("POST", "/tax/notify", declaration_no="D1", wrong_key=True)
    await city.control("POST", "/tax/notify", declaration_no="D1", stale_seconds=900)
    await city.control("POST", "/tax/notify", declaration_no="D1", replay=True)
    first, duplicate, wrong, stale, replayed = receiver.received
    path = urlsplit(receiver.url).path
    assert duplicate[1] == replayed[1] == honest
    assert replayed[0] == first[0]
    with pytest.raises(InvalidSignature):
        verify(city, wrong[0], "POST", path, wrong[1])
    verify(city, stale[0], "POST", path, stale[1])
    assert int(stale[0]["Yc-Timestamp"]) < int(first[0]["Yc-Timestamp"]) - 800


async def test_a_spoilt_answer(city: City, fault: Callable[..., Awaitable[None]]):
    await fault("tax.declare", "wrong_signature")
    answer = await declare(city)
    with pytest.raises(InvalidSignature):
        verify(city, answer.headers, "POST", PATH, answer.content)


async def test_no_such_declaration(city: City):
    answer = await city.http.post("/_control/tax/pay", json={"case_no": "none"})
    assert answer.status_code == 404
