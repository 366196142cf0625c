from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.ids import new_id
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.signing import AppSigner
from server.adapters.alipay_face import AlipayFace, _outcome
from server.adapters.fake_face import FakeFace
from server.identity.ports import FaceOutcome, FaceResult, FaceSubject, OpenedFace
from server.identity.rules import FaceFailure
from tests.kit.wallets.wechat.party import Party
from tests.server.adapters.alipay_wire import Wire, wire

STRANGER = FaceSubject("o", "张三", "310101199001011239")


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Wire]:
    async with wire(tmp_path) as opened:
        yield opened


async def subject(line: Wire, person: str = "P1") -> FaceSubject:
    for one in (await line.city.control("GET", "/people"))["items"]:
        if one["key"] == person:
            return FaceSubject("o", one["name"], one["id_number"])
    raise LookupError(person)


async def look(line: Wire, opened: OpenedFace, person: str = "P1", outcome: str = "pass") -> str:
    asked: dict[str, Any] = {"certify_id": opened.verify_id, "url": opened.url, "outcome": outcome}
    return str((await line.city.control("POST", "/alipay/certify", person=person, **asked))["resultStatus"])


async def ended(line: Wire, opened: OpenedFace, who: FaceSubject) -> FaceOutcome:
    return await line.door.face.outcome(number="n", verify_id=opened.verify_id, subject=who)


async def test_from_opening_to_passing(line: Wire) -> None:
    who = await subject(line)
    opened = await line.door.face.open(number=new_id(), subject=who)
    assert (await ended(line, opened, who)).result is FaceResult.PENDING
    page = urlsplit(opened.url or "")
    assert parse_qs(page.query)["method"] == ["alipay.user.certify.open.certify"]
    assert opened.verify_id in parse_qs(page.query)["biz_content"][0]
    shown = await line.city.http.get(opened.url or "")
    assert (shown.status_code, who.name[1:] in shown.text, who.name in shown.text) == (200, True, False)
    assert await look(line, opened) == "9000"
    outcome = await ended(line, opened, who)
    assert (outcome.result, outcome.failure) == (FaceResult.PASSED, None)
    for secret in (opened.verify_id, opened.url or ""):
        assert secret not in repr(opened)


@pytest.mark.parametrize(
    ("person", "outcome", "failure"),
    [
        ("P2", "pass", FaceFailure.FACE_DIFFERS),  # somebody else before the camera
        ("P1", "fail", FaceFailure.FACE_DIFFERS),
        ("P1", "cancel", FaceFailure.CANCELLED),
    ],
)
async def test_not_passed(line: Wire, person: str, outcome: str, failure: FaceFailure) -> None:
    who = await subject(line)
    opened = await line.door.face.open(number=new_id(), subject=who)
    await look(line, opened, person, outcome)
    found = await ended(line, opened, who)
    assert (found.result, found.failure) == (FaceResult.FAILED, failure)


async def test_a_lost_connection_on_the_phone_decides_nothing(line: Wire) -> None:
    who = await subject(line)
    opened = await line.door.face.open(number=new_id(), subject=who)
    await look(line, opened, outcome="network")
    assert (await ended(line, opened, who)).result is FaceResult.PENDING


async def test_an_unknown_check_can_never_pass(line: Wire) -> None:
    found = await line.door.face.outcome(number="n", verify_id="0" * 32, subject=STRANGER)
    assert (found.result, found.code) == (FaceResult.FAILED, "CERTIFY_ID_EXPIRED")


async def test_a_number_opens_one_check(line: Wire) -> None:
    number = new_id()
    await line.door.face.open(number=number, subject=STRANGER)
    with pytest.raises(OutsideError) as refused:
        await line.door.face.open(number=number, subject=STRANGER)
    assert (refused.value.code, refused.value.permanent) == ("INVALID_PARAMETER", True)


@pytest.mark.parametrize("kind", ["status", "wrong_signature"])
async def test_a_gateway_that_is_not_well_decides_nothing(line: Wire, kind: str) -> None:
    who = await subject(line)
    opened = await line.door.face.open(number=new_id(), subject=who)
    await look(line, opened)
    await line.city.control("POST", "/faults", target="alipay.certify_query", kind=kind)
    with pytest.raises(OutsideError) as failed:
        await ended(line, opened, who)
    assert not failed.value.permanent


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"code": "10000", "passed": "T"}, FaceResult.PASSED),
        ({"passed": "T", "fail_reason": ""}, FaceResult.PASSED),
        ({"passed": "F"}, FaceResult.PENDING),
        ({"passed": "F", "fail_reason": "认证未完成"}, FaceResult.PENDING),
        ({"passed": "F", "fail_reason": "人脸比对不通过"}, FaceResult.FAILED),
        ({"passed": "F", "fail_reason": {"a": 1}}, FaceResult.FAILED),
        ({"passed": "t"}, FaceResult.FAILED),
        ({"passed": True}, FaceResult.FAILED),
        ({"passed": "true"}, FaceResult.FAILED),
        ({"passed": ["T"]}, FaceResult.FAILED),
        ({}, FaceResult.FAILED),
    ],
)
def test_only_an_exact_t_passes(answer: dict[str, Any], result: FaceResult) -> None:
    assert _outcome(answer).result is result


@pytest.mark.parametrize(
    "inner", ['{"code":"10000"}', '{"code":"10000","certify_id":""}', '{"code":"10000","certify_id":7}']
)
async def test_no_certify_id_is_an_error(inner: str) -> None:
    app, alipay = Party(), Party()

    def answer(_: httpx.Request) -> httpx.Response:
        body = f'{{"alipay_user_certify_open_initialize_response":{inner},"sign":"{alipay.sign(inner.encode())}"}}'
        return httpx.Response(200, content=body.encode())

    signer = AppSigner("2021000000000001", app.key, FixedClock(datetime(2026, 11, 21, tzinfo=UTC)))
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        face = AlipayFace(AlipayApi(http, "http://127.0.0.1:9/gateway.do", signer, alipay.public))
        with pytest.raises(OutsideError) as failed:
            await face.open(number="n" * 32, subject=STRANGER)
    assert (failed.value.code, failed.value.permanent) == ("BAD_ANSWER", False)


async def test_the_fake_gives_a_page_too() -> None:
    opened = await FakeFace(page="https://alipay.example/certify").open(number="n", subject=STRANGER)
    assert opened.url == f"https://alipay.example/certify?certify_id={opened.verify_id}"
