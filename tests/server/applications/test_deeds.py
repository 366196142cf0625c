"""What parties do is in the audit trail: who, when, to which application, and nothing personal."""

import orjson
import pytest

from kit.audit.models import AuditRecord
from server.applications import errors, service
from tests.factories import applications as make
from tests.factories.applications import World


async def _deeds(application_id: str) -> list[tuple[str, str]]:
    rows = await AuditRecord.filter(subject_id=application_id).order_by("id")
    assert {(row.actor_kind, row.subject_kind) for row in rows} == {("resident", "application")}
    return [(row.action.removeprefix("application."), row.actor_id) for row in rows]


async def test_every_deed_from_opening_to_submitting_names_who_did_it(city: World):
    case = await make.submitted(city)
    deeds = await _deeds(case.id)
    opener = case.opener.resident_id
    assert deeds[0] == ("opened", opener)
    assert ("file_attached", opener) in deeds
    assert deeds[-5:] == [
        ("confirmation_requested", opener),
        *(("confirmed", person.resident_id) for person in case.all),
        ("submitted", opener),
    ]
    everything = str(await AuditRecord.all().values())
    for person in case.all:
        assert person.name not in everything
        assert person.id_number not in everything


async def test_a_confirmation_is_on_record_with_its_digest_and_face_check(city: World):
    case = await make.asked(city)
    digest = await make.answer(city, case, case.buyer)
    await make.confirm(city, case, case.buyer, face_check_id="f" * 32)
    deed = await AuditRecord.get(action="application.confirmed")
    assert orjson.loads(deed.details) == {"digest": digest, "face_check": "f" * 32}


async def test_editing_going_back_and_ending_are_on_record(city: World):
    case = await make.draft(city)
    who = {"application_id": case.id, "resident_id": case.opener.resident_id}
    await service.change(city.needs, **who, version=1, price_fen=1)
    file_id = await make.attach(city, case, "M08")
    await service.remove_file(city.needs, **who, code="M08", file_id=file_id)
    await service.withdraw(city.needs, **who)
    assert [action for action, _ in await _deeds(case.id)] == [
        "opened",
        "changed",
        "file_attached",
        "file_removed",
        "withdrawn",
    ]
    refused = await make.asked(city)
    by = {"application_id": refused.id, "resident_id": refused.buyer.resident_id}
    await service.reopen(city.needs, **by)
    with pytest.raises(errors.NotAwaitingConfirmation):
        await service.refuse(city.needs, **by, reason="不同意")
    await service.request_confirmation(city.needs, **by)
    await service.refuse(city.needs, **by, reason="张明没有告诉我")
    deeds = [action for action, who in await _deeds(refused.id) if who == refused.buyer.resident_id]
    assert deeds == ["reopened", "confirmation_requested", "refused"]
    assert "没有告诉我" not in str(await AuditRecord.all().values())
