"""What departments shared, on the officer's desk: marked with its source and right, and readable line by line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from sanic import Request

from kit.audit.models import AuditRecord
from kit.ids import new_id
from kit.web.access import Principal
from server.console import cases, evidence
from server.journeys.house import House
from server.registry import service
from server.registry.models import RegistryCase
from server.terms.evidence import Evidence, EvidenceKind, MaritalStatus, Marriage
from tests.factories import registry
from tests.factories.registry import OFFICER
from tests.support.moments import NOON
from tests.support.serving import client, edge, served

SHARED = {
    "source": "civil_affairs_marriage",
    "source_text": "民政部门婚姻登记信息",
    "purpose": "核对共有关系",
    "legal_basis": "《不动产登记暂行条例》第二十四条",
}
DOCUMENT = Evidence(
    kind=EvidenceKind.MARRIAGE,
    **SHARED,
    request_no="r1",
    answer_no="MZ1",
    asked_at=NOON,
    answered_at=NOON,
    subject_name="张明",
    subject_id_number_masked="320***********999X",
    content=Marriage(MaritalStatus.MARRIED, date(2012, 5, 20), "李静", "320***********9982"),
    answer_digest="a" * 64,
)


@dataclass
class Here:
    """A case with an upload, a department's document, and something that only says it is one."""

    desk: registry.Desk
    http: httpx.AsyncClient
    case_id: str

    async def case(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"/staff/v1/cases/{self.case_id}")).json()
        return found

    async def read(self, material_id: str) -> httpx.Response:
        return await self.http.get(f"/staff/v1/cases/{self.case_id}/materials/{material_id}/readable")


@pytest.fixture
async def here(db: object, tmp_path: Path) -> AsyncIterator[Here]:
    desk = await registry.desk(tmp_path / "files")
    case_id = await _received(desk)

    async def who(request: Request) -> Principal | None:
        districts = frozenset({(request.token or "").rpartition("-")[2]})
        return Principal("staff", id=OFFICER, permissions=frozenset({"case.read"}), districts=districts)

    house = cast("House", SimpleNamespace(registry=desk.needs))
    door = edge(authenticators={"staff": who}, clock=desk.clock)
    nouns = [noun.blueprint(house, door) for noun in (cases, evidence)]
    async with served(nouns) as base, client(base, "320114") as http:
        yield Here(desk, http, case_id)


async def _received(desk: registry.Desk) -> str:
    application_id = new_id()
    upload = await registry.put_file(desk.needs, application_id)
    shared = await registry.put_file(desk.needs, application_id, DOCUMENT.to_bytes())
    broken = await registry.put_file(desk.needs, application_id, b'{"format":"yichuang.evidence","version":9}')
    size = len(registry.FILE)
    materials = [
        {"code": "M10", "party_position": None, "digest": upload, "mime": "image/jpeg", "size": size},
        {"code": "M10", "party_position": 0, "digest": shared, "mime": "application/json", "size": size, **SHARED},
        {"code": "M10", "party_position": 1, "digest": broken, "mime": "application/json", "size": size, **SHARED},
    ]
    package = registry.package(application_id, upload, materials=materials)
    await service.receive_package(desk.needs, message=registry.up("case_package", application_id, package))
    return str((await RegistryCase.get(application_id=application_id)).id)


async def test_the_officer_sees_both_the_upload_and_what_was_shared(here: Here):
    upload, shared, _ = (await here.case())["materials"]
    assert [upload[name] for name in SHARED] == [None] * 4
    assert {name: shared[name] for name in SHARED} == SHARED
    assert (upload["party"], shared["party"], shared["mime"]) == (None, 0, "application/json")


async def test_it_is_read_line_by_line_and_leaves_a_trace(here: Here):
    _, shared, _ = (await here.case())["materials"]
    answer = await here.read(shared["id"])
    assert answer.status_code == 200, answer.text
    lines = {line["label"]: line["text"] for line in answer.json()["lines"]}
    assert (answer.json()["title"], lines["婚姻状况"]) == ("婚姻登记信息", "已婚")
    assert (lines["使用目的"], lines["法律依据"]) == (SHARED["purpose"], SHARED["legal_basis"])
    (seen,) = await AuditRecord.filter(action="registry.material_viewed")
    assert (seen.actor_id, shared["id"] in seen.details) == (OFFICER, True)
    raw = await here.http.get(f"/staff/v1/cases/{here.case_id}/materials/{shared['id']}")
    assert raw.content == DOCUMENT.to_bytes()
    assert raw.headers["content-disposition"].startswith("attachment")


async def test_what_is_no_evidence_is_opened_as_a_file_only(here: Here):
    upload, _, broken = (await here.case())["materials"]
    for material in (upload, broken):
        answer = await here.read(material["id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "MATERIAL_NOT_READABLE")
    assert (await here.read("0" * 32)).json()["code"] == "MATERIAL_NOT_FOUND"


async def test_another_district_has_no_such_case(here: Here):
    _, shared, _ = (await here.case())["materials"]
    path = f"/staff/v1/cases/{here.case_id}/materials/{shared['id']}/readable"
    answer = await here.http.get(path, headers={"Authorization": "Bearer 320105"})
    assert (answer.status_code, answer.json()["code"]) == (404, "CASE_NOT_FOUND")
