from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit.audit.models import AuditRecord
from kit.ids import new_id
from server.console import cases
from server.registry import service
from server.registry.models import RegistryDecision, RegistryMaterial
from tests.factories import registry
from tests.support.staff_desks import case_desk

ALL = frozenset({"case.read", "case.decide", "case.review", "case.enter"})


@pytest.fixture
async def made(db: object, tmp_path: Path) -> registry.Desk:
    found = await registry.desk(tmp_path / "files")
    await registry.seed_h1(found.needs)
    return found


@pytest.fixture
async def officer(made: registry.Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with case_desk(made, cases.blueprint, ALL) as http:
        yield http


async def act(http: httpx.AsyncClient, case_id: str, step: str, body: Any = None, **headers: str) -> httpx.Response:
    merged = {"Idempotency-Key": new_id(), **headers}
    return await http.post(f"/staff/v1/cases/{case_id}/{step}", json=body or {}, headers=merged)


async def test_a_case_from_the_list_to_the_entry(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, application_id = await registry.received(made.needs)
    listed = (await officer.get("/staff/v1/cases?state=received")).json()
    assert [item["id"] for item in listed["items"]] == [case_id]
    assert (listed["items"][0]["state_text"], listed["next"]) == ("待受理", None)
    shown = (await officer.get(f"/staff/v1/cases/{case_id}")).json()
    assert [party["name_masked"] for party in shown["parties"]] == ["张*", "李*", "王*"]
    assert shown["parties"][0]["id_number_masked"] == "320***********999X"
    assert shown["parties"][0]["role_text"] == "义务人"
    assert "32010219850312999X" not in str(shown)

    accepted = await act(officer, case_id, "acceptance", {"opinion": "材料齐全"})
    assert accepted.status_code == 200
    assert accepted.json()["case_number"] == "20260316-320114-000001"
    assert accepted.json()["promised_on"] == "2026-03-23"
    assert accepted.json()["waits_for"] == ["review", "tax"]
    assert accepted.headers["etag"] == f'"{accepted.json()["version"]}"'
    passed = await act(officer, case_id, "review", {"result": "passed", "opinion": "同意登记"})
    assert {track["code"]: track["state_text"] for track in passed.json()["tracks"]} == {
        "review": "已办结",
        "tax": "办理中",
        "fee": "办理中",
    }
    early = await act(officer, case_id, "entry")
    assert (early.status_code, early.json()["code"], early.json()["waits_for"]) == (409, "TAX_NOT_CLEARED", ["tax"])
    await service.record_evidence(made.needs, message=registry.evidence("evidence_tax", application_id))
    entered = await act(officer, case_id, "entry")
    assert (entered.json()["state"], entered.json()["waits_for"]) == ("entered", ["fee"])


async def test_ready_opinions_follow_the_case(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)

    def decisions(answer: httpx.Response) -> list[tuple[str, str | None]]:
        return [(each["decision"], each["result"]) for each in answer.json()["opinions"]]

    received = await officer.get(f"/staff/v1/cases/{case_id}")
    assert decisions(received) == [("acceptance", None), ("correction", None), ("correction", None), ("refusal", None)]
    assert received.json()["opinions"][0]["text"] == "申请材料齐全，符合法定形式，予以受理。"
    accepted = await act(officer, case_id, "acceptance")
    assert decisions(accepted) == [("review", "passed"), ("review", "rejected")]
    rejected = await act(officer, case_id, "review", {"result": "rejected"})
    assert decisions(rejected) == [("review", "passed"), ("review", "rejected")]
    assert decisions(await act(officer, case_id, "review", {"result": "passed"})) == []


async def test_unexpected_answers_are_put_before_the_officer(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    quiet, _ = await registry.received(made.needs)
    assert (await officer.get(f"/staff/v1/cases/{quiet}")).json()["attention"] == []
    confirmations = [
        registry.confirmation(1, registry.P1, true_intent="yes", habitation="yes"),
        registry.confirmation(3, registry.P3, true_intent="yes", burdens_known="no", future_ownership="sole"),
        registry.confirmation(4, registry.P4, true_intent="no"),
    ]
    case_id, _ = await registry.received(made.needs, confirmations=confirmations)
    shown = await officer.get(f"/staff/v1/cases/{case_id}")
    assert [list(each.values()) for each in shown.json()["attention"]] == [
        ["obligor", "义务人", "张*", "habitation？", "答：yes"],
        ["right_holder", "权利人", "王*", "burdens_known？", "答：no"],
        [None, None, None, "true_intent？", "答：no"],
    ]
    assert not any(secret in shown.text for secret in (registry.P1.name, registry.P3.name, registry.P4.id_number))


async def test_the_same_key_decides_once(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    key = {"Idempotency-Key": "accept-0001"}
    answers = [await act(officer, case_id, "acceptance", {"opinion": ""}, **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert await RegistryDecision.filter(case_id=case_id).count() == 1
    other = await act(officer, case_id, "acceptance", {"opinion": "改"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    late = await act(officer, case_id, "acceptance")
    assert (late.status_code, late.json()["code"]) == (409, "CASE_STATE_WRONG")
    missing = await officer.post(f"/staff/v1/cases/{case_id}/entry", json={})
    assert (missing.status_code, missing.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")


async def test_correction_and_refusal(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    first, _ = await registry.received(made.needs)
    asked = await act(officer, first, "correction", {"items": ["合同缺页"], "deadline_days": 15})
    assert asked.json()["state"] == "correction_asked"
    refused = await act(officer, first, "refusal", {"ground": "逾期未补正"})
    assert refused.json()["state_text"] == "不予受理或者不予登记"
    second, _ = await registry.received(made.needs)
    for step, body in (
        ("correction", {"items": [], "deadline_days": 15}),
        ("correction", {"items": ["x"], "deadline_days": 0}),
        ("refusal", {"ground": ""}),
        ("correction", {"items": ["请到 bdc-nj.top 补缴"], "deadline_days": 15}),
        ("refusal", {"ground": "见 https://example.cn"}),
        ("acceptance", {"opinion": "见 https://example.cn"}),
        ("review", {"result": "passed", "opinion": "见 https://example.cn"}),
        ("review", {"result": "maybe"}),
        ("acceptance", {"opinion": "", "more": 1}),
    ):
        answer = await act(officer, second, step, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_CONTENT")


async def test_another_district_sees_nothing(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    stranger = {"Authorization": "Bearer 320105"}
    assert (await officer.get("/staff/v1/cases", headers=stranger)).json()["items"] == []
    shown = await officer.get(f"/staff/v1/cases/{case_id}", headers=stranger)
    assert (shown.status_code, shown.json()["code"]) == (404, "CASE_NOT_FOUND")
    decided = await act(officer, case_id, "acceptance", None, **stranger)
    assert (decided.status_code, decided.json()["code"]) == (404, "CASE_NOT_FOUND")


async def test_reading_alone_decides_nothing(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    reader = {"Authorization": "Bearer read-320114"}
    assert (await officer.get(f"/staff/v1/cases/{case_id}", headers=reader)).status_code == 200
    for step in ("acceptance", "correction", "refusal", "review", "entry"):
        assert (await act(officer, case_id, step, None, **reader)).status_code == 403


async def test_a_stale_page_is_told_so(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    stale = await act(officer, case_id, "acceptance", None, **{"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "CASE_STALE")
    odd = await act(officer, case_id, "acceptance", None, **{"If-Match": "seven"})
    assert odd.status_code == 412
    assert (await act(officer, case_id, "acceptance", None, **{"If-Match": '"1"'})).status_code == 200


async def test_materials_are_served_and_the_look_is_recorded(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    case_id, _ = await registry.received(made.needs)
    material = (await officer.get(f"/staff/v1/cases/{case_id}")).json()["materials"][0]
    answer = await officer.get(f"/staff/v1/cases/{case_id}/materials/{material['id']}")
    assert (answer.content, answer.headers["content-type"]) == (registry.FILE, "image/jpeg")
    assert answer.headers["content-disposition"] == f'inline; filename="{material["id"]}.jpg"'
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert await AuditRecord.filter(action="registry.material_viewed", subject_id=case_id).count() == 1
    # Whatever the platform says that it is: no browser is to take it for a page.
    await RegistryMaterial.filter(id=material["id"]).update(mime="text/html")
    hostile = await officer.get(f"/staff/v1/cases/{case_id}/materials/{material['id']}")
    assert hostile.headers["content-type"] == "application/octet-stream"
    assert hostile.headers["content-disposition"] == f'attachment; filename="{material["id"]}.bin"'
    missing = await officer.get(f"/staff/v1/cases/{case_id}/materials/{'0' * 32}")
    assert (missing.status_code, missing.json()["code"]) == (404, "MATERIAL_NOT_FOUND")


async def test_the_list_goes_page_by_page(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    ids = [(await registry.received(made.needs))[0] for _ in range(3)]
    first = (await officer.get("/staff/v1/cases?limit=2")).json()
    rest = (await officer.get(f"/staff/v1/cases?limit=2&cursor={first['next']}")).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    for query in ("state=nonsense", "limit=101", "cursor=x", "other=1"):
        assert (await officer.get(f"/staff/v1/cases?{query}")).status_code == 422


async def test_organisations_and_shares_are_shown_as_they_are(made: registry.Desk, officer: httpx.AsyncClient) -> None:
    firm = registry.SeedOwner("演示有限公司", "business_licence", "91320100MA9XXXXX3Q", kind="organisation")
    entry = registry.entry(buyers=[(firm, (1, 2)), (registry.P3, (1, 2))])
    case_id, _ = await registry.received(made.needs, entries=[entry])
    parties = (await officer.get(f"/staff/v1/cases/{case_id}")).json()["parties"]
    assert (parties[2]["name_masked"], parties[2]["id_number_masked"]) == ("演示有限公司", "91320100MA9XXXXX3Q")
    assert parties[2]["share"] == {"numerator": 1, "denominator": 2}
    assert parties[0]["share"] is None
