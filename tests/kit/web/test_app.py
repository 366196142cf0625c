import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sanic import Blueprint, HTTPResponse, Request

from kit.errors import OutsideError, Problem
from kit.log import current_request_id
from kit.web import app as web
from kit.web.access import Access, callback, public, resident, staff
from kit.web.edge import Call
from kit.web.limits import RateLimits
from kit.web.routes import Routes
from kit.web.validation import Answer, Input, Query
from tests.support.serving import client, edge, running, served

SECRET = "110101199003070134"
REASON = "a test asks"
ONE = "0192f3a45b6c7d8e9f00112233445566"


class Thing(Input):
    name: str
    count: int


class Page(Query):
    limit: int = 20


class Said(Answer):
    says: str
    version: int = 3


class TermRefused(ValueError):
    code = "UNIT_CODE_WRONG"
    sentence = "不动产单元号有误，请核对后重填"


ERRORS: dict[str, Exception] = {
    "broken": RuntimeError(f"cannot write {SECRET}"),
    "term": TermRefused(SECRET),
    "value": ValueError(SECRET),
    "down": OutsideError("bank", "UNREACHABLE", "closed", permanent=False),
    "slow": OutsideError("bank", "TIMEOUT", "no answer", permanent=False),
    "no": OutsideError("bank", "ACCOUNT_CLOSED", "never", permanent=True),
    "state": Problem("不行", extra={"code": "FORGED", "limit": 3}),
}


def _blueprint(limits: RateLimits | None = None) -> Blueprint:
    routes = Routes("test", "/t", edge(limits=limits))
    _access(routes)
    _inputs(routes)
    _others(routes)
    return routes.blueprint


def _access(routes: Routes) -> None:
    @routes.get("/public", access=public(REASON), summary="Who", answer=Said)
    async def for_all(call: Call[None]) -> Said:
        return Said(says=call.who.who)

    @routes.get("/resident", access=resident(2), summary="Who", answer=Said)
    async def for_residents(call: Call[None]) -> Said:
        return Said(says=call.who.id)

    @routes.get("/staff", access=staff("case.read"), summary="Who", answer=Said)
    async def for_staff(call: Call[None]) -> Said:
        return Said(says=call.who.id)

    @routes.post("/callback", access=callback("bank"), keyed=False, summary="Who", answer=Said)
    async def for_systems(call: Call[None]) -> Said:
        return Said(says=call.who.id)


def _inputs(routes: Routes) -> None:
    @routes.put("/things", access=public(REASON), summary="Write", body=Thing, answer=Said)
    async def write(call: Call[Thing]) -> Said:
        return Said(says=call.input.name)

    @routes.patch("/things/<thing_id>", access=public(REASON), summary="Change", body=Thing)
    async def change(call: Call[Thing], thing_id: str) -> None:
        assert (thing_id, call.if_match()) == (ONE, 7)

    @routes.get("/things/<thing_id>", access=public(REASON), summary="Read", answer=Said)
    async def read(_: Call[None], thing_id: str) -> Said:
        return Said(says=thing_id)

    @routes.post("/things", access=resident(1), status=201, summary="Make", body=Thing, answer=Said)
    async def make(call: Call[Thing]) -> Said:
        return Said(says=call.key.digest)

    @routes.get("/list", access=public(REASON), summary="List", query=Page, answer=Said)
    async def many(call: Call[Page]) -> Said:
        return Said(says=str(call.input.limit))


def _others(routes: Routes) -> None:
    @routes.get("/fails/<how>", access=public(REASON), summary="Fail")
    async def fail(_: Call[None], how: str) -> None:
        raise ERRORS[how]

    @routes.get("/id", access=public(REASON), summary="Request id", answer=Said)
    async def request_id(_: Call[None]) -> Said:
        return Said(says=current_request_id())

    @routes.get("/often", access=public(REASON), summary="Limited", rate="2/minute", answer=Said)
    async def often(_: Call[None]) -> Said:
        return Said(says="yes")

    @routes.put("/upload", access=public(REASON), summary="Stream", stream=True, answer=Said)
    async def upload(call: Call[None]) -> Said:
        return Said(says=str(sum([len(chunk) async for chunk in call.chunks(limit=100_000)])))

    @routes.put("/closed", access=resident(1), summary="Stream", stream=True, answer=Said)
    async def closed(call: Call[None]) -> Said:
        return Said(says=str(sum([len(chunk) async for chunk in call.chunks(limit=100_000)])))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with served([_blueprint()]) as base_url, client(base_url) as found:
        yield found


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert document["type"] == f"urn:yichuang:problem:{code.lower()}"
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"] != ""
    for part in ("title", "detail"):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in document[part])
    return document


async def test_each_kind_of_access_admits_its_own(http: httpx.AsyncClient):
    assert (await http.get("/t/public")).json()["says"] == "public"
    assert (await http.get("/t/resident", headers=_bearer("resident-2"))).json()["says"] == "r1"
    assert (await http.get("/t/staff", headers=_bearer("staff-case.read"))).json()["says"] == "o1"
    assert (await http.post("/t/callback")).json()["says"] == "bank"


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        ("/t/resident", "", 401, "SESSION_MISSING"),
        ("/t/resident", "stranger", 401, "SESSION_MISSING"),
        ("/t/staff", "", 401, "SESSION_MISSING"),
        ("/t/resident", "resident-1", 403, "LEVEL_TOO_LOW"),
        ("/t/staff", "staff-audit.read", 403, "PERMISSION_MISSING"),
    ],
)
async def test_each_kind_of_access_refuses_others(
    http: httpx.AsyncClient, path: str, token: str, status: int, code: str
):
    _is_problem(await http.get(path, headers=_bearer(token)), status, code)


async def test_who_is_too_low_learns_the_level_it_takes(http: httpx.AsyncClient):
    answer = await http.get("/t/resident", headers=_bearer("resident-1"))
    assert answer.json()["required_level"] == 2


async def test_an_undeclared_route_stops_the_start():
    undeclared = Blueprint("undeclared", url_prefix="/x")

    async def handler(_: Request) -> HTTPResponse:
        return HTTPResponse("open to all")

    undeclared.add_route(handler, "/open", methods=["GET"])
    with pytest.raises(web.UndeclaredRoute, match=r"GET x/open"):
        web.create("undeclared", [undeclared], max_body_bytes=1024)


async def test_an_undeclared_route_added_later_stops_the_start_too():
    app = web.create("undeclared-later", [_blueprint()], max_body_bytes=1024)

    @app.get("/later")
    async def later(_: Request) -> HTTPResponse:
        return HTTPResponse("open to all")

    with pytest.raises(web.UndeclaredRoute, match="later"):
        async with running(app):
            pass


def test_a_public_route_needs_a_reason():
    with pytest.raises(ValueError, match="reason"):
        public("")


@pytest.mark.parametrize("access", [public(REASON), callback("bank")])
def test_a_key_needs_somebody_known(access: Access):
    with pytest.raises(ValueError, match="keyed=False"):
        Routes("r", "", edge()).post("/x", access=access, summary="x")


def test_a_rate_that_is_none_is_refused_when_declared():
    with pytest.raises(ValueError, match="often"):
        Routes("r", "", edge()).get("/x", access=public(REASON), summary="x", rate="often")


def test_a_path_too_long_for_the_key_table_is_refused():
    with pytest.raises(ValueError, match="longer than 128"):
        Routes("r", "", edge()).get("/x" * 70, access=public(REASON), summary="x")


async def test_the_head_of_what_may_be_read_is_told_without_its_body(http: httpx.AsyncClient):
    whole, head = await http.get("/t/public"), await http.head("/t/public")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] != "0"
    assert (await http.head("/t/resident")).status_code == 401
    assert (await http.head("/t/closed")).status_code == 404
    assert (await http.get("/t/public")).json()["says"] == "public", "the connection goes on"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/t/public"), ("BREW", "/t/public")])
async def test_what_is_not_there_is_404(http: httpx.AsyncClient, method: str, path: str):
    _is_problem(await http.request(method, path), 404, "NOT_FOUND")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"name": "\\ud800", "count": 1}', b"[" * 5000])
async def test_what_is_not_json_is_unreadable(http: httpx.AsyncClient, body: bytes):
    answer = await http.put("/t/things", content=body, headers={"Content-Type": "application/json"})
    _is_problem(answer, 400, "NOT_READABLE")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_another_content_type_is_refused(http: httpx.AsyncClient, content_type: str | None):
    headers = {"Content-Type": content_type} if content_type else {}
    _is_problem(await http.put("/t/things", content=b"{}", headers=headers), 415, "WRONG_MEDIA_TYPE")


async def test_a_content_type_may_carry_its_charset(http: httpx.AsyncClient):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await http.put("/t/things", content=b'{"name": "a", "count": 1}', headers=headers)).is_success


async def test_every_wrong_field_is_named_without_its_value(http: httpx.AsyncClient):
    answer = await http.put("/t/things", json={"name": 7, "count": SECRET, "id_number": SECRET})
    document = _is_problem(answer, 422, "INVALID_CONTENT")
    found = {error["field"]: error["code"] for error in document["errors"]}
    assert found == {"name": "STRING_TYPE", "count": "INT_TYPE", "id_number": "EXTRA_FORBIDDEN"}
    assert all(error["message"] for error in document["errors"])
    assert SECRET not in answer.text


async def test_a_flood_of_wrong_fields_is_answered_briefly(http: httpx.AsyncClient):
    answer = await http.put("/t/things", json={"x" * 300 + str(number): 1 for number in range(150)})
    errors = _is_problem(answer, 422, "INVALID_CONTENT")["errors"]
    assert len(errors) == 50
    assert max(len(error["field"]) for error in errors) == 128


async def test_query_values_are_converted_and_checked(http: httpx.AsyncClient):
    assert (await http.get("/t/list")).json()["says"] == "20"
    assert (await http.get("/t/list", params={"limit": "5"})).json()["says"] == "5"
    for query, code in {"limit=x": "INT_PARSING", "page=2": "EXTRA_FORBIDDEN", "limit=1&limit=2": "REPEATED"}.items():
        document = _is_problem(await http.get(f"/t/list?{query}"), 422, "INVALID_CONTENT")
        assert [error["code"] for error in document["errors"]] == [code]


async def test_a_body_past_the_limit_is_refused(http: httpx.AsyncClient):
    answer = await http.put("/t/things", content=b" " * 70_000, headers={"Content-Type": "application/json"})
    _is_problem(answer, 413, "BODY_TOO_LARGE")


async def test_a_streamed_body_is_counted(http: httpx.AsyncClient):
    assert (await http.put("/t/upload", content=b"x" * 100_000)).json()["says"] == "100000"
    _is_problem(await http.put("/t/upload", content=b"x" * 5_000_000), 413, "BODY_TOO_LARGE")
    assert (await http.get("/t/public")).status_code == 200


async def test_who_may_not_upload_hears_so_after_sending_it_all(http: httpx.AsyncClient):
    _is_problem(await http.put("/t/closed", content=b"x" * 5_000_000), 401, "SESSION_MISSING")
    assert (await http.get("/t/public")).status_code == 200


async def test_who_sends_without_end_is_cut_off(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kit.web.edge.DISCARDED_BYTES", 1_000_000)

    sent = [0]

    async def long() -> AsyncIterator[bytes]:
        while sent[0] < 100_000_000:
            sent[0] += 65536
            yield b"x" * 65536

    with contextlib.suppress(httpx.HTTPError):
        await http.put("/t/upload", content=long())
    assert sent[0] < 50_000_000
    assert (await http.get("/t/public")).status_code == 200


async def test_a_broken_handler_tells_nothing(http: httpx.AsyncClient):
    answer = await http.get("/t/fails/broken")
    _is_problem(answer, 500, "INTERNAL")
    assert SECRET not in answer.text
    assert "RuntimeError" not in answer.text
    assert "cannot write" not in answer.text


async def test_a_plain_value_error_is_ours_to_mend(http: httpx.AsyncClient):
    assert SECRET not in (await http.get("/t/fails/value")).text
    _is_problem(await http.get("/t/fails/value"), 500, "INTERNAL")


async def test_a_refused_term_is_content(http: httpx.AsyncClient):
    answer = await http.get("/t/fails/term")
    document = _is_problem(answer, 422, "INVALID_CONTENT")
    assert document["detail"] == TermRefused.sentence
    assert document["errors"] == [{"field": "$", "code": "UNIT_CODE_WRONG", "message": TermRefused.sentence}]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("how", "status", "code"), [("down", 503, "OUTSIDE_UNAVAILABLE"), ("slow", 504, "OUTSIDE_TOO_SLOW")]
)
async def test_an_outside_failure_says_when_to_come_back(http: httpx.AsyncClient, how: str, status: int, code: str):
    answer = await http.get(f"/t/fails/{how}")
    assert _is_problem(answer, status, code)["system"] == "bank"
    assert int(answer.headers["retry-after"]) > 0


async def test_an_outside_refusal_is_not_worth_repeating(http: httpx.AsyncClient):
    answer = await http.get("/t/fails/no")
    assert _is_problem(answer, 422, "OUTSIDE_REFUSED")["outside_code"] == "ACCOUNT_CLOSED"
    assert "retry-after" not in answer.headers


async def test_extra_members_never_hide_the_fixed_ones(http: httpx.AsyncClient):
    assert _is_problem(await http.get("/t/fails/state"), 409, "PROBLEM")["limit"] == 3


async def test_a_caller_who_asks_too_often_waits(http: httpx.AsyncClient):
    for forwarded in ("1.1.1.1", "2.2.2.2"):
        assert (await http.get("/t/often", headers={"X-Forwarded-For": forwarded})).status_code == 200
    answer = await http.get("/t/often", headers={"X-Forwarded-For": "3.3.3.3"})
    _is_problem(answer, 429, "TOO_MANY_REQUESTS")
    assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_a_factor_raises_every_limit():
    async with served([_blueprint(RateLimits(factor=3))]) as base_url, client(base_url) as http:
        assert [(await http.get("/t/often")).status_code for _ in range(7)] == [200] * 6 + [429]


async def test_a_request_id_is_kept_when_it_is_one(http: httpx.AsyncClient):
    answer = await http.get("/t/id", headers={"X-Request-Id": "phone-1234"})
    assert answer.json()["says"] == answer.headers["x-request-id"] == "phone-1234"
    for other in ("short", "x" * 65, "has space in it", "<script>alert</script>"):
        answer = await http.get("/t/id", headers={"X-Request-Id": other})
        assert answer.json()["says"] == answer.headers["x-request-id"] != other


async def test_every_answer_forbids_sniffing_and_storing(http: httpx.AsyncClient):
    answer = await http.get("/t/public")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["etag"] == '"3"'


async def test_an_edit_carries_the_version_it_was_made_on(http: httpx.AsyncClient):
    change = {"name": "a", "count": 1}
    assert (await http.patch(f"/t/things/{ONE}", json=change, headers={"If-Match": '"7"'})).status_code == 204
    for wrong in ({}, {"If-Match": "7"}, {"If-Match": "*"}, {"If-Match": 'W/"7"'}):
        _is_problem(await http.patch(f"/t/things/{ONE}", json=change, headers=wrong), 412, "VERSION_MISSING")


@pytest.mark.parametrize("given", ["a" * 33, "A" * 32, ONE[:-1], "%00", "%F0%9F%98%80", "a" * 5000])
async def test_an_id_that_cannot_be_one_is_nobodys(http: httpx.AsyncClient, given: str):
    assert (await http.get(f"/t/things/{ONE}")).json()["says"] == ONE
    assert (await http.get(f"/t/things/{given}")).json()["says"] == "0" * 32


@pytest.mark.parametrize("key", [None, "short", "x" * 65, "with space in it", "中文字中文字中文字".encode()])
async def test_a_keyed_route_asks_for_its_key(http: httpx.AsyncClient, key: Any):
    headers: dict[Any, Any] = _bearer("resident-1") | ({"Idempotency-Key": key} if key else {})
    answer = await http.post("/t/things", json={"name": "a", "count": 1}, headers=headers)
    _is_problem(answer, 400, "IDEMPOTENCY_KEY_MISSING")


async def test_the_keys_digest_covers_body_and_address(http: httpx.AsyncClient):
    headers = _bearer("resident-1") | {"Idempotency-Key": "key-12345"}
    digests = [
        (await http.post(path, json={"name": name, "count": 1}, headers=headers)).json()["says"]
        for path, name in [("/t/things", "a"), ("/t/things", "a"), ("/t/things", "b"), ("/t/things?x=1", "a")]
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
