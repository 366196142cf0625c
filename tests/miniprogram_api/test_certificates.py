"""The holder's certificates, the verify page, and an owner's look into the register."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from kit.audit.models import AuditRecord
from kit.web.access import Principal
from kit.web.limits import RateLimits
from miniprogram_api import certificates, register_queries, verify_page
from server.certificates.models import CertificateCopy
from server.certificates.queries import Verification
from server.identity import queries as residents
from server.journeys import seeding
from server.journeys.looking_up import Lookup
from server.terms.unit_record import Owner, UnitRecord
from tests.factories import registry
from tests.factories.road import Road, road
from tests.support.moments import NOON
from tests.support.serving import client, edge, served

PEOPLE = {"p1": registry.P1, "p2": registry.P2, "p3": registry.P3}
LOOK = "/api/v1/register-queries"


@pytest.fixture
async def city(db: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Road:
    """H1 and H2 with their certificates, kept at the platform."""
    made = await road(tmp_path / "files")
    await seeding.seed_demo(made.house, seeding.DEMO_UNITS[:2])
    await made.drain.until_idle()

    async def person(_: object, *, resident_id: str) -> Any:
        blind = made.house.cipher.blind(PEOPLE[resident_id].id_number, purpose="id_number")
        return SimpleNamespace(id_number_blind=blind)

    monkeypatch.setattr(residents, "person", person)
    made.house.__dict__["identity"] = None
    return made


@pytest.fixture
async def phone(city: Road) -> AsyncIterator[httpx.AsyncClient]:
    """The token is the person's name here, with `-1` behind it below the real-name level."""

    async def who(request: Any) -> Principal:
        name, _, level = request.token.partition("-")
        return Principal("resident", id=name, level=int(level or 3))

    door = edge(authenticators={"resident": who}, clock=city.clock)
    nouns = (certificates, register_queries, verify_page)
    blueprints = [noun.blueprint(city.house, door) for noun in nouns]
    async with served(blueprints) as base, client(base) as http:
        yield http


def as_person(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def test_a_holder_sees_their_certificates_and_nobody_elses(phone: httpx.AsyncClient) -> None:
    mine = (await phone.get("/api/v1/certificates", headers=as_person("p2"))).json()["items"]
    assert [(item["number"], item["state_text"]) for item in mine] == [("苏(2019)南京市不动产权第0000012号", "有效")]
    one = f"/api/v1/certificates/{mine[0]['id']}"
    assert (await phone.get(one, headers=as_person("p2"))).json() == mine[0]
    pdf = await phone.get(f"{one}/file", headers=as_person("p2"))
    assert (pdf.content[:5], pdf.headers["content-type"]) == (b"%PDF-", "application/pdf")
    png = await phone.get(f"{one}/qr", headers=as_person("p2"))
    assert (png.content[1:4], png.headers["content-type"]) == (b"PNG", "image/png")
    for path in (one, f"{one}/file", f"{one}/qr"):
        refused = await phone.get(path, headers=as_person("p3"))
        assert (refused.status_code, refused.json()["code"]) == (404, "CERTIFICATE_NOT_FOUND")
    assert (await phone.get(one, headers=as_person("p2-2"))).status_code == 403


async def test_certificates_come_page_by_page(phone: httpx.AsyncClient) -> None:
    first = (await phone.get("/api/v1/certificates?limit=1", headers=as_person("p1"))).json()
    rest = (await phone.get(f"/api/v1/certificates?limit=1&cursor={first['next']}", headers=as_person("p1"))).json()
    numbers = [item["number"] for item in first["items"] + rest["items"]]
    assert numbers == ["苏(2025)南京市不动产权第0000034号", "苏(2019)南京市不动产权第0000012号"]
    assert rest["next"] is None


async def test_what_wx_scan_code_returns_is_verified(city: Road, phone: httpx.AsyncClient) -> None:
    copy = await CertificateCopy.get(number=registry.H1_NUMBER)
    link = f"http://127.0.0.1:8000/v/{copy.credential}"
    good = (await phone.post("/api/v1/certificates/verify", json={"text": link})).json()
    assert (good["genuine"], good["state"], good["state_text"]) == (True, "valid", "有效")
    assert good["sentence"] == "本结果仅表明证书真实有效，不反映该不动产是否存在抵押、查封等情况。"
    assert (good["number"], good["unit_code_masked"]) == (registry.H1_NUMBER, "320114" + "*" * 20 + "02")
    assert (good["issued_on"], good["checked_at"]) == ("2019-05-10", "2026-03-16T12:00:00+08:00")
    bad = (await phone.post("/api/v1/certificates/verify", json={"text": "hello"})).json()
    assert (bad["genuine"], bad["state"], bad["number"], bad["issued_on"]) == (False, "unknown", None, None)
    await CertificateCopy.filter(id=copy.id).update(state="superseded")
    old = (await phone.post("/api/v1/certificates/verify", json={"text": copy.credential})).json()
    assert (old["genuine"], old["state"], old["state_text"]) == (True, "superseded", "已被新证书替代")


async def test_the_page_behind_the_code(city: Road, phone: httpx.AsyncClient) -> None:
    copy = await CertificateCopy.get(number=registry.H1_NUMBER)
    for path in (f"/v/{copy.credential}", f"/V/{copy.credential}", f"/v/{copy.credential.lower()}"):
        answer = await phone.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert 'class="verdict good">有效<' in answer.text
        assert "不反映该不动产是否存在抵押、查封等情况" in answer.text
        assert registry.H1_NUMBER in answer.text
    assert "<script" not in answer.text
    assert registry.H1 not in answer.text
    assert "张明" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    await CertificateCopy.filter(id=copy.id).update(state="superseded")
    old = await phone.get(f"/v/{copy.credential}")
    assert 'class="verdict bad">已被新证书替代<' in old.text
    await CertificateCopy.filter(id=copy.id).update(number="another")
    assert 'class="verdict open">状态暂不能确认<' in (await phone.get(f"/v/{copy.credential}")).text
    for code in ("AAAA", "%3Cscript%3E", "x" * 1000):
        forged = await phone.get(f"/v/{code}")
        assert forged.status_code == 200
        assert 'class="verdict bad">不能确认真伪<' in forged.text
        assert "<script" not in forged.text


def test_what_is_shown_is_escaped() -> None:
    shown = verify_page.page(
        Verification(
            genuine=True, state="valid", number="<b>", unit_code_masked="&", issued_on=NOON.date(), checked_at=NOON
        )
    )
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown


async def test_verifying_is_limited(city: Road) -> None:
    door = edge(limits=RateLimits(), clock=city.clock)
    async with served([verify_page.blueprint(city.house, door)]) as base, client(base) as http:
        answers = [(await http.get("/v/AAAA")).status_code for _ in range(121)]
    assert answers[:120] == [200] * 120
    assert answers[120] == 429


async def test_an_owner_looks_into_the_register(phone: httpx.AsyncClient) -> None:
    asked = {
        "unit_code": "320114 001002 GB00012 F00180302",
        "certificate_number": "苏（2019）南京市不动产权第0000012号",
    }
    answer = await phone.post(LOOK, json=asked, headers=as_person("p1"))
    assert answer.status_code == 200
    found = answer.json()
    assert (found["unit"]["unit_code"], found["unit"]["area_centiare"]) == (registry.H1, 8950)
    assert (found["co_ownership_text"], found["held_since"], found["my_share"]) == ("共同共有", "2019-05-10", None)
    assert found["owners"] == [
        {"name_masked": "张*", "is_me": True},
        {"name_masked": "李*", "is_me": False},
    ]
    assert found["encumbered"] is False
    trace = await AuditRecord.get(action="register.looked_up")
    assert (trace.actor_id, trace.subject_id, trace.result) == ("p1", registry.H1, "ok")


@pytest.mark.parametrize(
    ("who", "number", "result"),
    [("p3", registry.H1_NUMBER, "not_owner"), ("p1", "苏(2019)南京市不动产权第0000099号", "not_found")],
)
async def test_everybody_else_finds_nothing_and_leaves_a_trace(
    phone: httpx.AsyncClient, who: str, number: str, result: str
) -> None:
    asked = {"unit_code": registry.H1, "certificate_number": number}
    answer = await phone.post(LOOK, json=asked, headers=as_person(who))
    assert (answer.status_code, answer.json()["code"]) == (404, "UNIT_NOT_FOUND")
    assert (await AuditRecord.get(action="register.looked_up")).result == result


async def test_a_query_that_cannot_be_read_says_which_field(phone: httpx.AsyncClient) -> None:
    asked = {"unit_code": "320114", "certificate_number": "x"}
    answer = await phone.post(LOOK, json=asked, headers=as_person("p1"))
    errors = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert errors == {"unit_code": "UNIT_CODE_INVALID", "certificate_number": "CERTIFICATE_NUMBER_INVALID"}


def test_a_share_is_shown_to_its_owner() -> None:
    me = Owner("王强", "resident_id", "1", 2, 3)
    unit = UnitRecord(
        unit_code=registry.H1,
        district="320114",
        location="南京市",
        usage="residential",
        usage_text="住宅",
        right_type="state_land_and_house",
        area_centiare=8950,
        certificate_number=registry.H1_NUMBER,
        co_ownership="by_shares",
        held_since=NOON.date(),
        version=1,
        encumbered=True,
        owners=(me,),
    )
    share = register_queries._present(Lookup(unit, me)).my_share
    assert share is not None
    assert (share.numerator, share.denominator) == (2, 3)
