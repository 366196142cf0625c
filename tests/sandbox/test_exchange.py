import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from sandbox.server import Running
from tests.sandbox.city import City

Call = Callable[..., Awaitable[None]]


async def test_a_delay(city: City, fault: Call):
    await fault("wechat.token", "delay", seconds=0.2)
    started = time.monotonic()
    await city.token()
    assert time.monotonic() - started >= 0.2
    assert (await city.control("GET", "/faults"))["items"] == [], "it was ordered once"


async def test_a_dropped_request_is_not_done_and_a_dropped_answer_is(city: City, fault: Call):
    asked = {"out_seq_no": "seq-0001", "openid": "oSandboxPerson000000000000P1"}
    cert = {"cert_type": "IDENTITY_CARD", "cert_name": "张明", "cert_no": "32010219850312999X"}
    path = "/cityservice/face/identify/getverifyid"
    await fault("wechat.face_open", "drop")
    await fault("wechat.face_open", "drop", after=True)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            await city.wechat(path, **asked, cert_info=cert)
    # The second one was done: its out_seq_no is used up.
    assert (await city.wechat(path, **asked, cert_info=cert))["errcode"] == 40097


async def test_a_status_in_the_partners_own_words(city: City, fault: Call):
    await fault("wechat.jscode2session", "status", status=503)
    await fault("wechat.jscode2session", "status", status=200, code=45011)
    busy = await city.http.get("/wechat/sns/jscode2session")
    assert (busy.status_code, busy.json()["errcode"]) == (503, -1)
    limited = await city.http.get("/wechat/sns/jscode2session")
    assert (limited.status_code, limited.json()["errcode"]) == (200, 45011)


async def test_faults_are_listed_counted_and_cleared(city: City, fault: Call):
    await fault("wechat.token", "status", times=2)
    await fault("tax.declare", "drop", times=0)
    items = (await city.control("GET", "/faults"))["items"]
    assert [(each["target"], each["times"]) for each in items] == [("wechat.token", 2), ("tax.declare", 0)]
    statuses = [(await city.http.post("/wechat/cgi-bin/stable_token", json={})).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    await city.control("DELETE", "/faults")
    assert (await city.control("GET", "/faults"))["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "nowhere", "kind": "drop"},
        {"target": "wechat.token", "kind": "wrong_signature"},
        {"target": "pay.notify", "kind": "status"},
        {"target": "pay.order", "kind": "explode"},
        {"target": "pay.order", "kind": "drop", "tiems": 2},
    ],
)
async def test_faults_that_mean_nothing(city: City, wrong: dict[str, object]):
    answer = await city.http.post("/_control/faults", json=wrong)
    assert answer.status_code == 422
    assert (await city.control("GET", "/faults"))["items"] == []


async def test_requests_are_written_down_without_their_query(city: City, running: Running):
    await city.http.get("/wechat/sns/jscode2session", params={"secret": city.secret("app_secret")})
    await asyncio.sleep(0)
    entry = list(running.world.books.read("requests"))[-1]
    assert (entry["target"], entry["path"], entry["answer"]["errcode"]) == (
        "wechat.jscode2session",
        "/wechat/sns/jscode2session",
        41002,
    )
