import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.wallets.wechat.token import StableToken
from kit.wallets.wechat.transport import WechatApi
from server.adapters.face import WechatFace
from server.adapters.fake_face import FakeFace
from server.identity.ports import FaceResult, FaceSubject, OpenedFace
from server.identity.rules import FaceFailure

BASE = "http://127.0.0.1:9"
SUBJECT = FaceSubject("oABC", "张三", "310101199001011239")


class Wechat:
    """Answers every call with `answer`."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cgi-bin/stable_token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": 7200})
        self.asked.append(request)
        return httpx.Response(200, json=self.answer)


@pytest.fixture
def wechat() -> Wechat:
    return Wechat()


@pytest.fixture
async def face(wechat: Wechat) -> AsyncIterator[WechatFace]:
    clock = FixedClock(datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    async with httpx.AsyncClient(transport=httpx.MockTransport(wechat)) as http:
        yield WechatFace(WechatApi(http, BASE, StableToken(http, BASE, "wx1", "s3cret", clock)))


async def test_a_check_is_opened_for_one_person(face: WechatFace, wechat: Wechat) -> None:
    wechat.answer = {"errcode": 0, "errmsg": "ok", "verify_id": "v1", "expires_in": 3600}
    assert await face.open(number="n" * 32, subject=SUBJECT) == OpenedFace("v1")
    request = wechat.asked[0]
    assert (request.method, request.url.path) == ("POST", "/cityservice/face/identify/getverifyid")
    assert json.loads(request.content) == {
        "out_seq_no": "n" * 32,
        "openid": "oABC",
        "cert_info": {"cert_type": "IDENTITY_CARD", "cert_name": "张三", "cert_no": "310101199001011239"},
    }
    for secret in ("oABC", "张三", "3101"):
        assert secret not in repr(SUBJECT)


async def test_its_end_is_asked_with_the_hash_of_the_same_person(face: WechatFace, wechat: Wechat) -> None:
    wechat.answer = {"errcode": 0, "verify_ret": 10000}
    outcome = await face.outcome(number="n" * 32, verify_id="v1", subject=SUBJECT)
    assert (outcome.result, outcome.code, outcome.failure) == (FaceResult.PASSED, "10000", None)
    request = wechat.asked[0]
    assert request.url.path == "/cityservice/face/identify/queryverifyinfo"
    sent = json.loads(request.content)
    assert len(sent.pop("cert_hash")) == 64
    assert sent == {"verify_id": "v1", "out_seq_no": "n" * 32, "openid": "oABC"}


@pytest.mark.parametrize(
    ("verify_ret", "failure"),
    [
        (10001, FaceFailure.OTHER),
        (10002, FaceFailure.FACE_DIFFERS),
        (10003, FaceFailure.IDENTITY_DIFFERS),
        (90001, FaceFailure.DEVICE),
        (90002, FaceFailure.CANCELLED),
        (90006, FaceFailure.CANCELLED),
        (90007, FaceFailure.NETWORK),
        (90008, FaceFailure.CAMERA),
        (90010, FaceFailure.CAMERA),
        (90017, FaceFailure.TIMEOUT),
        (12345, FaceFailure.OTHER),
        (0, FaceFailure.OTHER),
        ("10000", FaceFailure.OTHER),
        (10000.0, FaceFailure.OTHER),
        (None, FaceFailure.OTHER),
    ],
)
async def test_whatever_is_not_10000_is_a_failure(
    face: WechatFace, wechat: Wechat, verify_ret: object, failure: FaceFailure
) -> None:
    wechat.answer = {"errcode": 0, "verify_ret": verify_ret}
    outcome = await face.outcome(number="n", verify_id="v1", subject=SUBJECT)
    assert (outcome.result, outcome.failure) == (FaceResult.FAILED, failure)


@pytest.mark.parametrize("verify_ret", [90018, 90199])
async def test_the_wallets_own_trouble_decides_nothing(face: WechatFace, wechat: Wechat, verify_ret: int) -> None:
    wechat.answer = {"errcode": 0, "verify_ret": verify_ret}
    outcome = await face.outcome(number="n", verify_id="v1", subject=SUBJECT)
    assert outcome.result is FaceResult.PENDING


@pytest.mark.parametrize("answer", [{"verify_ret": 10000}, {"errcode": "", "verify_ret": 10000}])
async def test_without_errcode_0_nobody_passes(face: WechatFace, wechat: Wechat, answer: dict[str, Any]) -> None:
    wechat.answer = answer
    try:
        outcome = await face.outcome(number="n", verify_id="v1", subject=SUBJECT)
    except OutsideError as error:
        assert not error.permanent  # noqa: PT017 - either way is right, passing is not
    else:
        assert outcome.result is FaceResult.FAILED


@pytest.mark.parametrize("errcode", [84001, 40097, 40003, 48001, 99999])
async def test_a_check_that_wechat_does_not_know_has_failed(face: WechatFace, wechat: Wechat, errcode: int) -> None:
    wechat.answer = {"errcode": errcode, "errmsg": "no", "verify_ret": 10000}
    outcome = await face.outcome(number="n", verify_id="v1", subject=SUBJECT)
    assert (outcome.result, outcome.code) == (FaceResult.FAILED, str(errcode))


@pytest.mark.parametrize("errcode", [-1, 45009])
async def test_busy_is_no_outcome(face: WechatFace, wechat: Wechat, errcode: int) -> None:
    wechat.answer = {"errcode": errcode, "errmsg": "busy"}
    with pytest.raises(OutsideError) as failed:
        await face.outcome(number="n", verify_id="v1", subject=SUBJECT)
    assert not failed.value.permanent


@pytest.mark.parametrize("answer", [{"errcode": 0}, {"errcode": 0, "verify_id": ""}, {"errcode": 40097}])
async def test_no_verify_id_is_an_error(face: WechatFace, wechat: Wechat, answer: dict[str, Any]) -> None:
    wechat.answer = answer
    with pytest.raises(OutsideError):
        await face.open(number="n" * 32, subject=SUBJECT)


async def test_the_fake_keeps_the_same_promises() -> None:
    fake = FakeFace()
    verify_id = (await fake.open(number="n", subject=SUBJECT)).verify_id
    with pytest.raises(OutsideError):
        await fake.open(number="n", subject=SUBJECT)
    asked = {"number": "n", "verify_id": verify_id, "subject": SUBJECT}
    assert (await fake.outcome(**asked)).result is FaceResult.PENDING  # type: ignore[arg-type]
    fake.look(verify_id, failure=FaceFailure.CAMERA)
    assert (await fake.outcome(**asked)).failure is FaceFailure.CAMERA  # type: ignore[arg-type]
    fake.look(verify_id)
    assert (await fake.outcome(**asked)).result is FaceResult.PASSED  # type: ignore[arg-type]
    for wrong in ({"number": "m"}, {"verify_id": "v"}, {"subject": FaceSubject("o", "李四", "1")}):
        assert (await fake.outcome(**{**asked, **wrong})).result is FaceResult.FAILED  # type: ignore[arg-type]
