from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

import orjson
import pytest

from kit.db import fetch
from server.applications import queries, service
from server.applications.models import Application
from server.applications.states import State
from tests.factories import applications as make
from tests.factories.applications import MESSAGE, Case, World


async def _tracks(city: World, case: Case) -> dict[str, str]:
    record = await queries.full(city.needs, application_id=case.id)
    return {track.code: track.state for track in record.tracks}


async def _refuse(city: World, case: Case, message: str = "r") -> None:
    await service.record_refusal(
        city.needs,
        application_id=case.id,
        ground="权属争议",
        opinion="不予登记",
        refused_at=city.clock.now(),
        message_id=MESSAGE + message,
    )


async def _correct(city: World, case: Case, message: str = "c") -> None:
    await service.record_correction(
        city.needs,
        application_id=case.id,
        items=["合同缺页", "证件不清"],
        deadline=date(2026, 3, 31),
        asked_at=city.clock.now(),
        message_id=MESSAGE + message,
    )


async def _step(city: World, case: Case, state: str, message: str, track: str = "review") -> None:
    await service.record_step(
        city.needs,
        application_id=case.id,
        track=track,
        state=state,
        at=city.clock.now(),
        message_id=MESSAGE + message,
    )


async def _enter(city: World, case: Case, message: str = "e") -> None:
    await service.record_entry(
        city.needs, application_id=case.id, entered_at=city.clock.now(), message_id=MESSAGE + message
    )


async def _certify(city: World, case: Case, message: str = "z") -> None:
    await service.record_certificate(
        city.needs,
        application_id=case.id,
        certificate_id="0192f3a45b6c7d8e9f00112233445577",
        number="苏(2026)南京市不动产权第0000001号",
        made_at=city.clock.now(),
        message_id=MESSAGE + message,
    )


async def test_acceptance_begins_the_tracks(city: World):
    case = await make.submitted(city)
    for _ in range(2):
        await make.accept(city, case)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.case_number) == (State.ACCEPTED, "20260316-320114-000001")
    assert record.promised_on == date(2026, 3, 23)
    assert await _tracks(city, case) == {"review": "open", "tax": "open", "fee": "not_started"}
    assert (await make.published(case.id)).count("applications.accepted") == 1
    assert (await make.steps(case.id)).count("accepted") == 1


async def test_a_passed_review_makes_the_fee_fall_due(city: World):
    case = await make.accepted(city)
    await _step(city, case, "rejected", "2")
    assert (await _tracks(city, case))["review"] == "failed"
    for _ in range(2):
        await _step(city, case, "passed", "3")
    assert (await _tracks(city, case))["review"] == "done"
    await _step(city, case, "done", "4", track="public_notice")
    assert (await make.published(case.id)).count("applications.fee_due") == 1


@pytest.mark.parametrize("fee_due", ["acceptance", "before_certificate"])
async def test_the_fee_falls_due_where_the_business_says(city: World, fee_due: str):
    case = await make.submitted(city)
    row = await Application.get(id=case.id)
    record = await queries.full(city.needs, application_id=case.id)
    row.requirements = replace(record.requirements, fee_due=fee_due).to_json()
    await row.save()
    await make.accept(city, case)
    await _step(city, case, "done", "2")
    early = "applications.fee_due" in await make.published(case.id)
    assert early is (fee_due == "acceptance")
    await _enter(city, case)
    assert (await make.published(case.id)).count("applications.fee_due") == 1


async def test_entry_ends_the_claim_and_the_certificate_ends_the_story(city: World):
    case = await make.accepted(city)
    for _ in range(2):
        await _enter(city, case)
    assert await fetch("SELECT id FROM applications_claim") == []
    assert (await make.published(case.id)).count("applications.entered") == 1
    for _ in range(2):
        await _certify(city, case)
    record = await queries.full(city.needs, application_id=case.id)
    assert record.state is State.CERTIFICATE_MADE
    assert record.certificate_id == "0192f3a45b6c7d8e9f00112233445577"
    assert record.entered_at == city.clock.now()


async def test_a_correction_is_asked_for_and_comes_back_under_the_same_number(city: World):
    case = await make.submitted(city)
    for _ in range(2):
        await _correct(city, case)
    record = await queries.full(city.needs, application_id=case.id)
    assert record.state is State.CORRECTION_ASKED
    assert record.notice == {"items": ["合同缺页", "证件不清"], "deadline": "2026-03-31"}
    who = {"application_id": case.id, "resident_id": case.opener.resident_id}
    await service.reopen(city.needs, **who)
    await make.attach(city, case, "M08", content=make.PDF, declared="application/pdf")
    await service.request_confirmation(city.needs, **who)
    for person in case.all:
        await make.confirm(city, case, person)
    await service.submit(city.needs, **who)
    again = await queries.full(city.needs, application_id=case.id)
    assert (again.state, again.number) == (State.SUBMITTED, record.number)
    assert (await make.published(case.id)).count("applications.submitted") == 2


@pytest.mark.parametrize("accepted", ["before", "after"])
async def test_a_refusal_ends_it_before_and_after_acceptance(city: World, accepted: str):
    case = await (make.submitted(city) if accepted == "before" else make.accepted(city))
    for _ in range(2):
        await _refuse(city, case)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.notice) == (State.REFUSED, {"ground": "权属争议", "opinion": "不予登记"})
    assert await fetch("SELECT id FROM applications_claim") == []
    assert (await make.published(case.id)).count("applications.refused") == 1


async def test_messages_about_one_that_has_ended_change_nothing(city: World):
    case = await make.submitted(city)
    await service.withdraw(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    before = await make.published(case.id)
    late: list[Callable[[], Awaitable[None]]] = [
        lambda: make.accept(city, case),
        lambda: _correct(city, case),
        lambda: _refuse(city, case),
        lambda: _step(city, case, "done", "s"),
        lambda: _certify(city, case),
    ]
    for message in late:
        await message()
    assert (await Application.get(id=case.id)).state == State.WITHDRAWN
    assert await make.published(case.id) == before
    assert (await make.steps(case.id)).count("registry_message") == 5


async def test_progress_is_read_in_one_statement_in_the_order_it_happened(city: World):
    case = await make.accepted(city)
    city.clock.advance(seconds=60)
    await _step(city, case, "passed", "2")
    told = orjson.loads(await queries.progress(city.needs, application_id=case.id, resident_id=case.buyer.resident_id))
    assert (told["id"], told["state"], told["state_text"]) == (case.id, "accepted", "已受理，办理中")
    assert [step["code"] for step in told["steps"]] == [
        "opened",
        "confirmation_requested",
        "submitted",
        "accepted",
        "review",
    ]
    assert told["steps"][3]["at"] == "2026-03-16T12:00:00+08:00"
    assert told["steps"][3]["note"] == "受理编号 20260316-320114-000001，承诺2026年3月23日前办结"
    assert told["steps"][4]["name"] == "审核：已办结"


async def test_a_withdrawal_that_the_register_entry_was_faster_than(city: World) -> None:
    """Both sides decided before they heard of each other: what is entered is entered (条例第21条)."""
    case = await make.submitted(city)
    await service.withdraw(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    at = city.clock.now()
    for _ in range(2):
        await _enter(city, case)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.entered_at) == (State.ENTERED, at)
    steps = await fetch("SELECT name, note FROM applications_step WHERE code = 'entered'")
    assert [(row["name"], "撤回" in row["note"]) for row in steps] == [("已登簿", True)]
    await _certify(city, case)
    assert (await Application.get(id=case.id)).state == State.CERTIFICATE_MADE
