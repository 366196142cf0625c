from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit.audit.models import AuditRecord
from kit.db import fetch
from server.console import notices
from server.registry.models import RegistryMessage
from tests.factories import registry
from tests.factories.registry import OFFICER
from tests.support.staff_desks import case_desk

TEXT = "材料已收齐，预计三个工作日内完成审核"
BOTH = frozenset({"case.read", "case.notify"})


@pytest.fixture
async def made(db: object, tmp_path: Path) -> registry.Desk:
    found = await registry.desk(tmp_path / "files")
    await registry.seed_h1(found.needs)
    return found


@pytest.fixture
async def officer(made: registry.Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with case_desk(made, notices.blueprint, BOTH) as http:
        yield http


async def push(http: httpx.AsyncClient, case_id: str, body: Any, **headers: str) -> httpx.Response:
    merged = {"Idempotency-Key": "push-0001", **headers}
    return await http.post(f"/staff/v1/cases/{case_id}/notifications", json=body, headers=merged)


async def _rows() -> dict[str, int]:
    tables = ("registry_message", "kit_outbox", "kit_audit", "kit_idempotency_key")
    return {table: (await fetch(f"SELECT COUNT(*) AS n FROM {table}"))[0]["n"] for table in tables}  # noqa: S608


async def test_a_push_is_written_once_however_often_it_is_asked_for(
    made: registry.Desk, officer: httpx.AsyncClient
) -> None:
    case_id, application_id = await registry.received(made.needs)
    answers = [await push(officer, case_id, {"text": f" {TEXT}\n"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    shown = answers[0].json()
    assert all(answer.json() == shown for answer in answers)
    assert (shown["text"], shown["pushed_at"], shown["sent_at"]) == (TEXT, "2026-03-16T12:00:00+08:00", None)
    row = await RegistryMessage.get(kind="notice")
    assert (row.id, row.application_id) == (shown["id"], application_id)
    assert TEXT not in row.body_sealed
    deed = await AuditRecord.get(action="registry.notice_pushed")
    assert (deed.actor_id, deed.subject_id) == (OFFICER, case_id)
    assert TEXT not in deed.details
    listed = (await officer.get(f"/staff/v1/cases/{case_id}/notifications")).json()
    assert listed == {"items": [shown], "next": None}


async def test_two_pushes_of_the_same_words_are_two(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    ids = {
        (await push(officer, case_id, {"text": TEXT}, **{"Idempotency-Key": f"push-{n:04}"})).json()["id"]
        for n in (1, 2)
    }
    assert len(ids) == 2
    other = await push(officer, case_id, {"text": "别的"}, **{"Idempotency-Key": "push-0001"})
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": "请拨打13800000001"}, 422, "NOTICE_INVALID"),
        ({"text": "身份证32010219850312999X有误"}, 422, "NOTICE_INVALID"),
        ({"text": "测" * 101}, 422, "NOTICE_INVALID"),
        ({"text": " \n"}, 422, "NOTICE_INVALID"),
        ({"text": ""}, 422, "INVALID_CONTENT"),
        ({"text": 5}, 422, "INVALID_CONTENT"),
        ({}, 422, "INVALID_CONTENT"),
        ({"text": TEXT, "to": "all"}, 422, "INVALID_CONTENT"),
        ("{", 400, "NOT_READABLE"),
    ],
)
async def test_what_cannot_be_sent_leaves_nothing(
    made: registry.Desk, officer: httpx.AsyncClient, body: Any, status: int, code: str
) -> None:
    case_id, _ = await registry.received(made.needs)
    before = await _rows()
    if body == "{":
        headers = {"Idempotency-Key": "push-0001", "Content-Type": "application/json"}
        answer = await officer.post(f"/staff/v1/cases/{case_id}/notifications", content=b"{", headers=headers)
    else:
        answer = await push(officer, case_id, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await _rows() == before


async def test_who_may_not_and_what_is_not_there(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    before = await _rows()
    for token, status, code in (("read-320114", 403, "PERMISSION_MISSING"), ("320105", 404, "CASE_NOT_FOUND")):
        answer = await push(officer, case_id, {"text": TEXT}, Authorization=f"Bearer {token}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = await push(officer, "0" * 32, {"text": TEXT})
    assert (answer.status_code, answer.json()["code"]) == (404, "CASE_NOT_FOUND")
    listed = await officer.get(f"/staff/v1/cases/{case_id}/notifications", headers={"Authorization": "Bearer 320105"})
    assert listed.status_code == 404
    keyless = await officer.post(f"/staff/v1/cases/{case_id}/notifications", json={"text": TEXT})
    assert (keyless.status_code, keyless.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")
    assert await _rows() == before
