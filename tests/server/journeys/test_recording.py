import base64
from types import SimpleNamespace
from typing import Any

import pytest

from kit.clock import rfc3339
from kit.db import fetch
from kit.errors import Permanent
from kit.ids import new_id
from server.adapters.registry_wire import RegistryWire, encode_down
from server.applications import queries, service
from server.applications.states import State
from server.certificates import service as certificates
from server.certificates.request import ReceivedCertificate
from server.journeys import recording
from server.terms.messages import DownMessage
from tests.factories import applications as make
from tests.factories.applications import Case
from tests.factories.filing import City

CERTIFICATE = "0192f3a45b6c7d8e9f00112233445577"
PDF = b"%PDF-1.7 sealed"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the certificates' service was told, in place of it."""
    found: list[Any] = []

    async def keep_copy(_: object, *, received: ReceivedCertificate) -> None:
        found.append(received)

    async def change_status(_: object, **told: Any) -> str:
        found.append(told)
        return ""

    monkeypatch.setattr(certificates, "keep_copy", keep_copy)
    monkeypatch.setattr(certificates, "change_status", change_status)
    return found


async def _tell(city: City, kind: str, application_id: str, /, **body: Any) -> None:
    """Over the wire and back, as the registry would say it."""
    now = city.files.clock.now()
    if application_id or kind == "certificate":
        body["application_id"] = application_id
    raw = encode_down(DownMessage(new_id(), kind, application_id, now, body))
    city.house.certificates = SimpleNamespace()
    await recording.record(city.house, RegistryWire().decode_down(raw))


async def _accept(city: City, case: Case) -> None:
    await _tell(
        city,
        "acceptance",
        case.id,
        case_number="20260316-320114-000001",
        accepted_at=rfc3339(city.files.clock.now()),
        promised_on="2026-03-23",
        business_name="二手房转移登记",
        locations=["南京市"],
        materials=[{"code": "M07", "name": "不动产权证书", "copies": 1}],
        officer_no="0001",
    )


async def _certificate(city: City, application_id: str) -> None:
    await _tell(
        city,
        "certificate",
        application_id,
        certificate_id=CERTIFICATE,
        number="苏(2026)南京市不动产权第0000001号",
        kind="title_certificate",
        unit_code=make.H1,
        district="320114",
        location="南京市雨花台区软件大道18号",
        registered_on="2026-03-20",
        state="valid",
        holders=[
            {
                "name": "王强",
                "id_kind": "resident_id",
                "id_number": "320106199003079973",
                "share_numerator": None,
                "share_denominator": None,
            }
        ],
        co_ownership="sole",
        paper_state="not_printed",
        credential="ABC234",
        pdf_base64=base64.b64encode(PDF).decode(),
        pdf_digest="0" * 64,
    )


async def test_a_case_is_told_from_acceptance_to_certificate(city: City, kept: list[Any]):
    case = await make.submitted(city.files)
    now = rfc3339(city.files.clock.now())
    await _accept(city, case)
    await _tell(city, "step", case.id, track="review", state="done", at=now)
    await _tell(city, "entered", case.id, entered_at=now)
    await _certificate(city, case.id)
    record = await queries.full(city.files.needs, application_id=case.id)
    assert record.state is State.CERTIFICATE_MADE
    assert record.certificate_id == CERTIFICATE
    assert {track.code: track.state for track in record.tracks}["review"] == "done"
    (received,) = kept
    assert (received.pdf, received.holders[0].name, received.application_id) == (PDF, "王强", case.id)


async def test_a_certificate_without_an_application_is_only_kept(city: City, kept: list[Any]):
    await _certificate(city, "")
    assert [received.application_id for received in kept] == [""]


async def test_a_change_of_status_goes_to_the_certificates(city: City, kept: list[Any]):
    await _tell(
        city,
        "status_change",
        "",
        certificate_id=CERTIFICATE,
        number="苏(2019)南京市不动产权第0000012号",
        state="superseded",
        changed_at=rfc3339(city.files.clock.now()),
        superseded_by=new_id(),
        paper_state="to_be_returned",
    )
    assert [(told["state"], told["paper_state"]) for told in kept] == [("superseded", "to_be_returned")]


@pytest.mark.parametrize(
    ("state", "paper_state", "steps"),
    [
        ("valid", "posted", [("paper_posted", "纸质证书已寄出")]),
        ("valid", "with_holder", [("paper_with_holder", "纸质证书已由权利人领取")]),
        ("valid", "not_printed", [("paper_not_printed", "纸质证书已退回登记机构")]),
        ("valid", "lost", [("paper_lost", "纸质证书在邮寄中丢失")]),
        ("valid", "returned", []),
        ("superseded", "with_holder", []),
    ],
)
async def test_where_the_paper_is_stands_in_the_progress_once(
    city: City, monkeypatch: pytest.MonkeyPatch, state: str, paper_state: str, steps: list[tuple[str, str]]
):
    case = await make.submitted(city.files)

    async def change_status(_: object, **__: Any) -> str:
        return case.id

    monkeypatch.setattr(certificates, "change_status", change_status)
    city.house.certificates = SimpleNamespace()
    now, number = city.files.clock.now(), "苏(2026)南京市不动产权第0000001号"
    body = {"certificate_id": CERTIFICATE, "number": number, "state": state, "changed_at": now.isoformat()}
    body |= {"superseded_by": None, "paper_state": paper_state}
    message = DownMessage(new_id(), "status_change", "", now, body)
    for _ in range(2):
        await recording.record(city.house, RegistryWire().decode_down(encode_down(message)))
    rows = await fetch("SELECT code, name, note FROM applications_step WHERE code LIKE 'paper%'")
    assert [(row["code"], row["name"]) for row in rows] == steps
    assert [row["note"] for row in rows] == [f"证号 {number}"] * len(steps)


async def test_a_correction_and_a_refusal_are_told(city: City):
    now = rfc3339(city.files.clock.now())
    case = await make.submitted(city.files)
    await _tell(city, "correction_notice", case.id, items=["合同缺页"], deadline="2026-03-31", asked_at=now)
    record = await queries.full(city.files.needs, application_id=case.id)
    assert (record.state, record.notice) == (
        State.CORRECTION_ASKED,
        {"items": ["合同缺页"], "deadline": "2026-03-31"},
    )
    refusal = {"stage": "acceptance", "ground": "超期", "opinion": "未按期补正", "refused_at": now}
    await _tell(city, "refusal", case.id, **refusal)
    record = await queries.full(city.files.needs, application_id=case.id)
    assert (record.state, record.notice) == (State.REFUSED, {"ground": "超期", "opinion": "未按期补正"})
    assert await service.expire_due(city.files.needs) == 0


async def test_a_kind_nobody_knows_is_set_aside(city: City):
    message = DownMessage(new_id(), "greeting", "", city.files.clock.now(), {})
    with pytest.raises(Permanent):
        await recording.record(city.house, message)  # type: ignore[arg-type]
