from datetime import date
from typing import Any

import orjson
import pytest

from kit.ids import new_id
from server.adapters import registry_unit_wire
from server.adapters import registry_wire as wire
from server.adapters.registry_wire import RegistryWire, WireError
from server.terms.messages import DownMessage, UpMessage
from server.terms.unit_record import Owner, UnitRecord
from tests.factories import registry
from tests.support.moments import NOON

APPLICATION = "0192f3a45b6c7d8e9f00112233445566"
OTHER = "0192f3a45b6c7d8e9f00112233445577"
AT = "2026-03-16T12:00:00+08:00"
UP = {
    "case_package": registry.package(APPLICATION, "a" * 64),
    "correction": registry.package(APPLICATION, "a" * 64, price_fen=None),
    "evidence_tax": dict(registry.evidence("evidence_tax", APPLICATION).body),
    "evidence_fee": dict(registry.evidence("evidence_fee", APPLICATION).body),
    "withdrawal": {"application_id": APPLICATION, "withdrawn_at": AT, "reason": ""},
}
DOWN: dict[str, dict[str, Any]] = {
    "acceptance": {
        "application_id": APPLICATION,
        "case_number": "20260316-320114-000001",
        "accepted_at": AT,
        "promised_on": "2026-03-23",
        "business_name": "存量房转移登记",
        "locations": ["南京市"],
        "materials": [{"code": "M08", "name": "买卖合同", "copies": 1}],
        "officer_no": registry.OFFICER,
    },
    "correction_notice": {
        "application_id": APPLICATION,
        "items": ["缺页"],
        "deadline": "2026-03-31",
        "asked_at": AT,
    },
    "refusal": {
        "application_id": APPLICATION,
        "stage": "acceptance",
        "ground": "材料不齐全",
        "opinion": "",
        "refused_at": AT,
    },
    "step": {"application_id": APPLICATION, "track": "review", "state": "done", "at": AT},
    "entered": {"application_id": APPLICATION, "entered_at": AT},
    "certificate": {
        "application_id": APPLICATION,
        "certificate_id": OTHER,
        "number": "苏(2026)南京市不动产权第0000001号",
        "kind": "title_certificate",
        "unit_code": registry.H1,
        "district": "320114",
        "location": "南京市",
        "registered_on": "2026-03-16",
        "state": "valid",
        "holders": [
            {
                "name": "王强",
                "id_kind": "resident_id",
                "id_number": "320106199003079973",
                "share_numerator": None,
                "share_denominator": None,
            }
        ],
        "co_ownership": "sole",
        "paper_state": "not_printed",
        "credential": "ABC234",
        "pdf_base64": "JVBERg==",
        "pdf_digest": "b" * 64,
    },
    "status_change": {
        "certificate_id": OTHER,
        "number": "苏(2019)南京市不动产权第0000012号",
        "state": "superseded",
        "changed_at": AT,
        "superseded_by": APPLICATION,
        "paper_state": "to_be_returned",
    },
}


def up(kind: str, body: dict[str, Any]) -> UpMessage:
    return UpMessage(new_id(), kind, APPLICATION, NOON, body)


def down(kind: str, body: dict[str, Any]) -> DownMessage:
    return DownMessage(new_id(), kind, body.get("application_id", ""), NOON, body)


@pytest.mark.parametrize("kind", UP)
def test_a_message_goes_up_and_is_the_same(kind: str) -> None:
    message = up(kind, UP[kind])
    raw = wire.encode_up(message)
    found = RegistryWire().decode_up(raw)
    assert (found.id, found.kind, found.application_id, found.sent_at) == (message.id, kind, APPLICATION, NOON)
    assert dict(found.body) == UP[kind]
    assert wire.peek(raw, up=True) == (message.id, APPLICATION)


@pytest.mark.parametrize("kind", DOWN)
def test_a_message_comes_down_and_is_the_same(kind: str) -> None:
    message = down(kind, DOWN[kind])
    raw = wire.encode_down(message)
    found = RegistryWire().decode_down(raw)
    assert (found.id, found.kind, dict(found.body)) == (message.id, kind, DOWN[kind])
    assert wire.peek(raw, up=False) == (message.id, message.application_id)


@pytest.mark.parametrize("kind", UP)
def test_a_field_nobody_knows_and_a_missing_one_are_refused(kind: str) -> None:
    with pytest.raises(WireError):
        wire.encode_up(up(kind, {**UP[kind], "extra": 1}))
    for name in UP[kind]:
        if (kind, name) == ("withdrawal", "reason"):
            continue
        with pytest.raises(WireError):
            wire.encode_up(up(kind, {key: value for key, value in UP[kind].items() if key != name}))


@pytest.mark.parametrize("kind", DOWN)
def test_what_comes_down_is_held_as_strictly(kind: str) -> None:
    with pytest.raises(WireError):
        wire.encode_down(down(kind, {**DOWN[kind], "extra": 1}))


def envelope(**changes: Any) -> bytes:
    values = {
        "version": 1,
        "id": OTHER,
        "kind": "entered",
        "application_id": APPLICATION,
        "sent_at": AT,
        "body": DOWN["entered"],
    }
    return orjson.dumps({**values, **changes})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        envelope(version=2),
        envelope(version="1"),
        envelope(id="short"),
        envelope(kind="greeting"),
        envelope(kind="case_package"),
        envelope(sent_at="2026-03-16T12:00:00"),
        envelope(application_id=OTHER),
        envelope(extra=True),
        envelope(body={"application_id": APPLICATION, "entered_at": "2026-03-16T12:00:00"}),
    ],
)
def test_bytes_that_are_no_message_are_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        RegistryWire().decode_down(raw)


def test_a_refusal_names_fields_and_never_values() -> None:
    entry = registry.entry()
    entry["parties"][0]["id_number"] = "32010219850312999X" * 3
    body = {**UP["case_package"], "entries": [entry]}
    with pytest.raises(WireError) as caught:
        wire.encode_up(up("case_package", body))
    assert "entries.0.parties.0" in str(caught.value)
    assert "3201021985" not in str(caught.value)


def unit() -> UnitRecord:
    return UnitRecord(
        unit_code=registry.H1,
        district="320114",
        location="南京市",
        usage="residential",
        usage_text="住宅",
        right_type="state_land_and_house",
        area_centiare=8950,
        certificate_number=registry.H1_NUMBER,
        co_ownership="joint",
        held_since=date(2019, 5, 10),
        version=2,
        encumbered=False,
        owners=(Owner("张明", "resident_id", "32010219850312999X", None, None),),
    )


def test_an_answered_query_is_the_same_with_and_without_a_wire() -> None:
    found = registry_unit_wire.decode_unit(registry_unit_wire.encode_unit(unit()))
    assert found == unit()
    assert found is not None
    assert (found.held_since, found.owners[0].name) == (date(2019, 5, 10), "张明")
    assert registry_unit_wire.decode_unit(registry_unit_wire.encode_unit(None)) is None
    with pytest.raises(WireError):
        registry_unit_wire.decode_unit(b'{"unit": {}}')


def test_a_question_is_read_strictly() -> None:
    raw = registry_unit_wire.encode_question(unit_code=registry.H1, certificate_number="x")
    assert registry_unit_wire.decode_question(raw).unit_code == registry.H1
    with pytest.raises(WireError):
        registry_unit_wire.decode_question(b'{"unit_code": 1, "certificate_number": "x"}')


def test_a_shared_material_says_where_it_is_from_and_an_upload_says_nothing() -> None:
    shared = {
        "source": "police_household",
        "source_text": "公安部门户籍信息",
        "purpose": "核定住房套数",
        "legal_basis": "条例第二十四条",
    }
    upload = UP["case_package"]["materials"][0]
    body = {**UP["case_package"], "materials": [upload, {**upload, **shared, "mime": "application/json"}]}
    found = RegistryWire().decode_up(wire.encode_up(up("case_package", body)))
    assert list(found.body["materials"]) == body["materials"]
    with pytest.raises(WireError):
        wire.encode_up(up("case_package", {**body, "materials": [{**upload, **shared, "purpose": ""}]}))
