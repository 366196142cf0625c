"""What people and strangers send by mistake or on purpose: a clear refusal in Chinese, and nothing half-written."""

import contextlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sandbox.demo import cast, filing, materials, office
from sandbox.demo.scene import Scene
from sandbox.people import FICTIONAL
from sandbox.phones.phone import API, Phone
from tests.journeys import hanging_up, outcome
from tests.journeys.city import Build, City, Town
from tests.journeys.problems import fields, refused

STRANGER = FICTIONAL[3]
_APPLICATIONS = f"{API}/applications"
_MINUTE = 60.0
# What a refused request may add to, and what the worker adds to by itself.
_UNCOUNTED = frozenset(
    {
        "kit_heartbeat",
        "kit_audit",
        "kit_audit_anchor",
        "kit_audit_head",
        "kit_outbox",
        "kit_outbox_history",
        "identity_session",
        "tortoise_migrations",
    }
)


@pytest.fixture(scope="module")
def town(build: Build) -> Iterator[Town]:
    with build("mariadb") as city, city.scene((*cast.PARTIES, STRANGER)) as scene:
        filing.log_in(scene)
        scene.officer.sign_in()
        yield Town(city, scene)


@pytest.fixture(scope="module")
def due(town: Town) -> Scene:
    """An application on H1 whose fee is due: submitted, accepted, reviewed."""
    scene = town.scene
    stranger = scene.phones.pop(STRANGER.key)
    filing.draw_up(scene)
    filing.confirm_and_submit(scene)
    office.arrive(scene)
    office.accept_and_review(scene)
    scene.phones[STRANGER.key] = stranger
    return scene


@pytest.fixture
def draft(town: Town) -> str:
    """The path of a fresh draft of the seller's."""
    opened = town.scene.seller.calls.post("open the application", _APPLICATIONS, cast.application(), expect=201)
    return f"{_APPLICATIONS}/{opened['id']}"


@contextlib.contextmanager
def nothing_written(city: City) -> Iterator[None]:
    outcome.become_quiet(city)
    before = _counts(city)
    yield
    outcome.become_quiet(city)
    assert _counts(city) == before


def _counts(city: City) -> dict[str, int]:
    names = [str(next(iter(row.values()))) for row in city.rows("SHOW TABLES")]
    return {name: city.count(name) for name in names if name not in _UNCOUNTED}


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def test_wrong_check_digit(town: Town):
    calls = town.scene.phones[STRANGER.key].calls
    wanted = {"action": "real_name", "name": STRANGER.name, "id_number": STRANGER.id_number[:-1] + "0"}
    with nothing_written(town.city):
        refused(calls, "POST", f"{API}/face-checks", json=wanted, status=422, code="ID_CHECK_DIGIT_WRONG")


def test_wrong_and_used_login_codes(town: Town):
    calls, path = town.scene.passer_by, f"{API}/sessions/wechat"
    code = town.scene.outside.do("/wx/login", person=STRANGER.key)["code"]
    calls.post("log in", path, {"code": code}, expect=201)
    with nothing_written(town.city):
        sessions = town.city.count("identity_session")
        for wrong in ("nobody-gave-this-code", code):
            refused(calls, "POST", path, json={"code": wrong}, status=422, code="LOGIN_CODE_REJECTED")
        assert town.city.count("identity_session") == sessions


def test_expired_session(town: Town):
    """A session unused for half an hour is over; the clocks of all of us and the partners are moved there and back."""
    city, scene = town.city, town.scene
    phone = city.phone(STRANGER, scene.journey, scene.outside)
    with contextlib.closing(phone.calls):
        phone.log_in()
        city.move_clock(31 * _MINUTE)
        try:
            refused(phone.calls, "GET", f"{API}/me", status=401, code="SESSION_MISSING")
        finally:
            city.move_clock(-31 * _MINUTE)
        phone.calls.token = "0" * 43
        refused(phone.calls, "GET", f"{API}/me", status=401, code="SESSION_MISSING")


def test_another_residents_application(town: Town, draft: str):
    calls = town.scene.phones[STRANGER.key].calls
    gone: dict[str, Any] = {"status": 404, "code": "APPLICATION_NOT_FOUND"}
    form = {"digest": "0" * 64, "face_check_id": uuid.uuid4().hex, "signature_png_base64": _signature()}
    with nothing_written(town.city):
        for path in (draft, f"{draft}/progress", f"{draft}/documents/receipt", f"{draft}/inquiry"):
            refused(calls, "GET", path, **gone)
        refused(calls, "PATCH", draft, json={"price_fen": 1}, headers={"If-Match": '"1"'}, **gone)
        refused(calls, "PUT", f"{draft}/inquiry", json={"answers": {}}, **gone)
        refused(calls, "POST", f"{draft}/confirmations", json=form, **gone)
        refused(calls, "POST", f"{draft}/refusal", json={"reason": "不同意"}, **gone)
        for verb in ("confirmation-request", "submission", "withdrawal"):
            refused(calls, "POST", f"{draft}/{verb}", json={}, **gone)
        picture = materials.make("M08", None)
        upload = {"content": picture.content, "headers": {**_key(), "Content-Type": picture.mime}}
        refused(calls, "POST", f"{draft}/materials/M08/files", **upload, **gone)
    assert draft.rsplit("/", 1)[1] not in str(calls.get("see my applications", _APPLICATIONS))


def test_another_residents_payment_and_certificate(town: Town, due: Scene):
    calls = town.scene.phones[STRANGER.key].calls
    with nothing_written(town.city):
        refused(calls, "GET", f"{API}/payments/{due.order_id}", status=404, code="ORDER_NOT_FOUND")
        pay = f"{due.application_path}/payments"
        refused(calls, "POST", pay, json={"wallet": "wechat"}, status=404, code="ORDER_NOT_FOUND")
        old = due.seller.calls.get("see my certificates", f"{API}/certificates")["items"][0]
        for path in (old["id"], f"{old['id']}/file", f"{old['id']}/qr"):
            refused(calls, "GET", f"{API}/certificates/{path}", status=404, code="CERTIFICATE_NOT_FOUND")
        refused(due.seller.calls, "GET", "/staff/v1/cases", status=401, code="SESSION_MISSING")


def test_file_that_is_not_what_it_says(town: Town, draft: str):
    calls, path = town.scene.seller.calls, f"{draft}/materials/M08/files"
    pdf, drawing = materials.make("M08", None), materials.drawn_signature("张明")
    asked_for = calls.get("look at the draft", draft)["materials"]
    largest = next(each["max_bytes"] for each in asked_for if each["code"] == "M08")

    def send(content: bytes, mime: str, *, status: int, code: str) -> None:
        headers = {**_key(), "Content-Type": mime}
        refused(calls, "POST", path, content=content, headers=headers, status=status, code=code)

    with nothing_written(town.city):
        send(drawing, "image/jpeg", status=422, code="FILE_NOT_WHAT_IT_SAYS")
        send(b"MZ" + pdf.content, "application/pdf", status=422, code="FILE_NOT_WHAT_IT_SAYS")
        send(b"", "application/pdf", status=422, code="FILE_EMPTY")
        send(b"hello", "text/plain", status=415, code="WRONG_MEDIA_TYPE")
        send(pdf.content + bytes(largest), "application/pdf", status=413, code="FILE_TOO_LARGE")
    half_written = [each for each in (town.city.house.folder / "files" / "_tmp").rglob("*") if each.is_file()]
    assert not half_written


def test_missing_materials(town: Town, draft: str):
    with nothing_written(town.city):
        problem = refused(
            town.scene.seller.calls,
            "POST",
            f"{draft}/confirmation-request",
            json={},
            status=422,
            code="MATERIALS_MISSING",
        )
    assert {"M02", "M08", "M10", "M10H"} <= {name.split(".")[1] for name in fields(problem)}, problem


def test_bodies_that_cannot_be_taken(town: Town):
    calls = town.scene.seller.calls
    json_type = {"Content-Type": "application/json"}
    with nothing_written(town.city):
        for broken in (b"not json", b'{"price_fen": ', b"\xff\xfe"):
            headers = {**_key(), **json_type}
            refused(calls, "POST", _APPLICATIONS, content=broken, headers=headers, status=400, code="NOT_READABLE")
        form = {**cast.application(), "discount": 1}
        problem = refused(calls, "POST", _APPLICATIONS, json=form, status=422, code="INVALID_CONTENT")
        assert fields(problem) == {"discount": "EXTRA_FORBIDDEN"}
        form = {**cast.application(), "price_fen": "200000000"}
        problem = refused(calls, "POST", _APPLICATIONS, json=form, status=422, code="INVALID_CONTENT")
        assert set(fields(problem)) == {"price_fen"}
        large = {**_key(), **json_type}
        body = b'{"unit_code": "' + b"1" * (1024 * 1024) + b'"}'
        refused(calls, "POST", _APPLICATIONS, content=body, headers=large, status=413, code="BODY_TOO_LARGE")
        form_type = {**_key(), "Content-Type": "text/plain"}
        refused(calls, "POST", _APPLICATIONS, content=b"{}", headers=form_type, status=415, code="WRONG_MEDIA_TYPE")
        refused(calls, "GET", f"{_APPLICATIONS}?limit=1000", status=422, code="INVALID_CONTENT")
        refused(calls, "GET", f"{API}/nothing-here", status=404, code="NOT_FOUND")


def test_idempotency_keys(town: Town):
    calls = town.scene.seller.calls
    key = _key()
    opened = calls.post("open", _APPLICATIONS, cast.application(), headers=key, expect=201)
    again = calls.post("open again", _APPLICATIONS, cast.application(), headers=key, expect=201)
    assert again["id"] == opened["id"]
    with nothing_written(town.city):
        other = {**cast.application(), "price_fen": 1_000_000}
        reused: dict[str, Any] = {"status": 422, "code": "IDEMPOTENCY_KEY_REUSED"}
        refused(calls, "POST", _APPLICATIONS, json=other, headers=key, **reused)
        missing: dict[str, Any] = {"status": 400, "code": "IDEMPOTENCY_KEY_MISSING"}
        refused(calls, "POST", _APPLICATIONS, json=other, headers={"Idempotency-Key": ""}, **missing)


def test_stale_edit(town: Town, draft: str):
    calls = town.scene.seller.calls
    with nothing_written(town.city):
        refused(calls, "PATCH", draft, json={"price_fen": 1}, status=412, code="VERSION_MISSING")
        stale = {"If-Match": '"999"'}
        refused(calls, "PATCH", draft, json={"price_fen": 1}, headers=stale, status=412, code="VERSION_STALE")


def test_face_check_of_another_digest(town: Town):
    """Of an application that waits for confirmation: a face shown for something else confirms nothing."""
    scene = town.scene
    stranger = scene.phones.pop(STRANGER.key)
    before = scene.application_id
    try:
        filing.draw_up(scene)
        path = scene.application_path
    finally:
        scene.application_id, scene.phones[STRANGER.key] = before, stranger
    seller = scene.seller
    seller.calls.post("ask all parties to confirm", f"{path}/confirmation-request", expect=200)
    questions = seller.calls.get("read the inquiry", f"{path}/inquiry")["questions"]
    answers = {each["code"]: cast.SELLERS_ANSWERS[each["code"]] for each in questions}
    read = seller.calls.put("answer it", f"{path}/inquiry", {"answers": answers})
    other = seller.prove_it_is_me("ab" * 32)
    unshown = seller.calls.post(
        "open a check nobody shows a face for",
        f"{API}/face-checks",
        {"action": "confirm_application", "digest": read["digest"]},
        expect=201,
    )["id"]
    form = {"digest": read["digest"], "face_check_id": other, "signature_png_base64": _signature()}
    with nothing_written(town.city):
        confirm = f"{path}/confirmations"
        refused(seller.calls, "POST", confirm, json=form, status=409, code="FACE_CHECK_MISMATCH")
        form["face_check_id"] = unshown
        refused(seller.calls, "POST", confirm, json=form, status=409, code="FACE_CHECK_NOT_PASSED")
        form |= {"face_check_id": other, "digest": "ab" * 32}
        refused(seller.calls, "POST", confirm, json=form, status=409, code="STATEMENT_CHANGED")
    seller.calls.post("withdraw", f"{path}/withdrawal", expect=200)


def test_forged_stale_and_replayed_payment_notices(town: Town, due: Scene):
    """WeChat Pay's own probes too; the amount that is wrong is written down and settles nothing."""
    city, outside = town.city, due.outside
    order = due.buyer.calls.post("pay", f"{due.application_path}/payments", {"wallet": "wechat"}, expect=201)
    number = city.rows("SELECT out_trade_no FROM payments_attempt WHERE id = ?", order["id"])[0]["out_trade_no"]
    with nothing_written(city):
        for forgery in ({"wrong_key": True}, {"stale_seconds": 3600}, {"signtest": True}):
            said = outside.do("/pay/notify", out_trade_no=number, **forgery)
            assert (said["status"], "NOTICE_REFUSED" in said["body"]) == (401, True), said
    wrong = outside.do("/pay/notify", out_trade_no=number, amount_fen=1)
    assert wrong["status"] in {200, 204}
    outcome.become_quiet(city)
    discrepancy = city.rows("SELECT fault, expected_fen, reported_fen FROM payments_discrepancy")
    assert discrepancy == [{"fault": "amount_differs", "expected_fen": cast.FEE_FEN, "reported_fen": 1}]
    assert city.count("payments_settlement") == 0
    assert due.application(due.buyer)["fee"]["state"] == "open"
    outside.do("/pay/notify", out_trade_no=number, amount_fen=1)
    outcome.become_quiet(city)
    assert (city.count("payments_discrepancy"), city.count("payments_settlement")) == (1, 0)
    held: dict[str, Any] = {"status": 409, "code": "PAYMENT_IN_PROGRESS"}
    refused(due.buyer.calls, "POST", f"{due.application_path}/withdrawal", json={}, **held)
    due.buyer.pay(order["client_params"])
    due.journey.wait_for("the payment", lambda: due.application(due.buyer)["fee"]["state"] == "settled" or None)
    with nothing_written(city):
        for _ in range(3):
            assert outside.do("/pay/notify", out_trade_no=number, replay=True)["status"] in {200, 204}
    assert city.count("payments_settlement") == 1
    pay = f"{due.application_path}/payments"
    refused(due.buyer.calls, "POST", pay, json={"wallet": "wechat"}, status=409, code="ORDER_SETTLED")
    late: dict[str, Any] = {"status": 409, "code": "NOT_WITHDRAWABLE"}
    refused(due.buyer.calls, "POST", f"{due.application_path}/withdrawal", json={}, **late)


def test_forged_stale_and_replayed_tax_notices(town: Town, due: Scene):
    city, outside = town.city, due.outside
    number = due.journey.wait_for("the declaration", lambda: office._declaration(due))["declaration_no"]
    with nothing_written(city):
        for forgery in ({"wrong_key": True}, {"stale_seconds": 3600}):
            said = outside.do("/tax/notify", declaration_no=number, **forgery)
            assert (said["status"], "CALLBACK_SIGNATURE_WRONG" in said["body"]) == (401, True), said
        unsigned = httpx.post(f"{city.url}/callbacks/tax", json={"event_id": "e1"}, trust_env=False)
        assert (unsigned.status_code, unsigned.json()["code"]) == (401, "CALLBACK_SIGNATURE_WRONG")
    outside.do("/tax/pay", declaration_no=number)
    due.journey.wait_for("the tax to be cleared", lambda: office._tax_passed(due))
    with nothing_written(city):
        replayed = outside.do("/tax/notify", declaration_no=number, replay=True)
        assert replayed["status"] == 200
        assert '"duplicate":true' in replayed["body"]


def test_duplicate_submission(town: Town, due: Scene):
    path = f"{due.application_path}/submission"
    with nothing_written(town.city):
        refused(due.seller.calls, "POST", path, json={}, status=409, code="ALREADY_SUBMITTED")


def test_phones_that_hang_up(town: Town, draft: str):
    """500 times, at any moment of a request; afterwards every connection of the pool is there to be used."""
    city, calls = town.city, town.scene.seller.calls
    before = city.count("applications_application")
    opened = hanging_up.hang_up(city.url, token=str(calls.token), draft=draft, times=500)
    assert opened.start > 0
    outcome.become_quiet(city)
    # The server may be busy with the last ones still: what it says at any one moment has to be whole.
    found = _drafts(city)
    assert found["applications"] - before in opened, "all of them were cut off, or none"
    assert found["entries"] == found["applications"]
    assert found["parties"] == 3 * found["applications"]
    town.scene.journey.wait_for("every key", lambda: city.count("kit_idempotency_key", "state <> 'done'") == 0 or None)
    with ThreadPoolExecutor(40) as phones:
        asked = list(phones.map(lambda _: _me(city, str(calls.token)), range(80)))
    assert set(asked) == {200}
    connections = city.rows("SHOW PROCESSLIST")
    name = city.database_url.rsplit("/", 1)[1]
    # 32 each for the server and the worker, and this question's own.
    assert sum(row["db"] == name for row in connections) <= 65
    # The worker has one open now and then; none stays.
    left = _transactions(city)
    town.scene.journey.wait_for("the end of every transaction", lambda: not (left & _transactions(city)) or None)


def _drafts(city: City) -> dict[str, Any]:
    """Counted in one statement, which sees one moment."""
    tables = (
        ("applications", "applications_application"),
        ("entries", "applications_entry"),
        ("parties", "applications_party"),
    )
    counted = ", ".join(f"(SELECT COUNT(*) FROM {table}) AS {name}" for name, table in tables)  # noqa: S608 - ours
    return city.rows(f"SELECT {counted}")[0]


def _transactions(city: City) -> set[tuple[str, str]]:
    rows = city.rows("SELECT trx_id, trx_started FROM information_schema.innodb_trx")
    return {(str(row["trx_id"]), str(row["trx_started"])) for row in rows}


def _me(city: City, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{city.url}{API}/me", headers=headers, trust_env=False, timeout=60).status_code


def _signature() -> str:
    return Phone.sign(None, materials.drawn_signature("张明"))  # type: ignore[arg-type]
