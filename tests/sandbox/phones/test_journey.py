import json
from pathlib import Path

import httpx
import pytest

from sandbox.phones.caller import Caller
from sandbox.phones.journey import Journey, NotAsItShould, PushTaken


def answering(status: int, body: dict[str, object], media_type: str) -> httpx.MockTransport:
    content = json.dumps(body).encode()
    return httpx.MockTransport(
        lambda request: httpx.Response(status, content=content, headers={"content-type": media_type}, request=request)
    )


def caller(journey: Journey, transport: httpx.MockTransport) -> Caller:
    made = Caller("http://city.example", journey, "P1")
    made.close()
    made._http = httpx.Client(base_url="http://city.example", transport=transport)
    return made


def test_a_call_is_noted_without_its_query(tmp_path: Path):
    journey = Journey(step=3)
    calls = caller(journey, answering(200, {"items": []}, "application/json"))
    assert calls.get("upload", "/files", params={"party_id": "p"}) == {"items": []}
    calls.close()
    journey.pushes.append(PushTaken(3, "it is paid", 204))
    journey.write(tmp_path / "journey.json", pushes=tmp_path / "pushes.json")
    (noted,) = json.loads((tmp_path / "journey.json").read_text())
    assert list(noted) == ["step", "name", "method", "path", "status", "code", "ms"]
    assert noted["path"] == "/files"
    assert (noted["step"], noted["status"], noted["code"]) == (3, 200, None)
    assert json.loads((tmp_path / "pushes.json").read_text()) == [{"step": 3, "name": "it is paid", "status": 204}]


def test_an_expected_refusal_is_noted_with_its_code():
    journey = Journey()
    problem = {"code": "TAX_NOT_CLEARED", "title": "尚未完税"}
    calls = caller(journey, answering(409, problem, "application/problem+json"))
    assert calls.post("enter", "/entry", expect=409)["code"] == "TAX_NOT_CLEARED"
    calls.close()
    assert journey.calls[0].code == "TAX_NOT_CLEARED"


def test_an_unexpected_answer_explains_itself():
    problem = {"code": "MATERIALS_MISSING", "errors": [{"field": "M08", "code": "MISSING", "message": "缺少合同"}]}
    calls = caller(Journey(), answering(422, problem, "application/problem+json"))
    with pytest.raises(NotAsItShould, match=r"answered 422.*MATERIALS_MISSING.*M08: 缺少合同"):
        calls.post("ask to confirm", "/confirmation-request")
    calls.close()


def test_posts_carry_a_key_and_every_call_an_id():
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    calls = caller(Journey(), httpx.MockTransport(answer))
    calls.token = "t"
    calls.post("a", "/a")
    calls.get("b", "/b")
    calls.close()
    assert len(seen[0].headers["idempotency-key"]) == 32
    assert "idempotency-key" not in seen[1].headers
    assert seen[0].headers["x-request-id"] != seen[1].headers["x-request-id"]
    assert seen[1].headers["authorization"] == "Bearer t"


def test_waiting_ends_with_what_was_found_or_with_the_time():
    looks = iter([None, None, "case"])
    assert Journey().wait_for("the case", lambda: next(looks)) == "case"
    with pytest.raises(NotAsItShould, match=r"in vain for the case"):
        Journey(patience_seconds=0.2).wait_for("the case", lambda: None)


def test_a_long_wait_is_told_once():
    told: list[str] = []
    journey = Journey(says=told.append, patience_seconds=1.5)
    with pytest.raises(NotAsItShould):
        journey.wait_for("the tax", lambda: None)
    assert told == ["waiting for the tax"]
