from typing import Any

import orjson
import pytest

from kit.clock import rfc3339
from kit.db import fetch
from kit.ids import new_id
from server.applications import errors, queries, service, statement
from server.applications.service.files import scope_of
from server.applications.states import PartyState, State
from tests.factories import applications as make
from tests.factories.applications import Case, Person, World


async def _state(city: World, case: Case) -> State:
    return (await queries.full(city.needs, application_id=case.id)).state


def _by(case: Case, person: Person) -> dict[str, Any]:
    return {"application_id": case.id, "resident_id": person.resident_id}


async def test_asking_closes_the_draft_and_tells_everybody(city: World):
    case = await make.asked(city)
    record = await queries.full(city.needs, application_id=case.id)
    assert record.state is State.AWAITING_CONFIRMATION
    assert record.expires_at is not None
    assert (record.expires_at - city.clock.now()).total_seconds() == 72 * 3600
    assert await make.published(case.id) == ["applications.confirmation_requested"]
    with pytest.raises(errors.NotEditable):
        await service.request_confirmation(city.needs, **_by(case, case.opener))


async def test_asking_names_every_missing_material(city: World):
    case = await make.draft(city)
    with pytest.raises(errors.MaterialsMissing) as refused:
        await service.request_confirmation(city.needs, **_by(case, case.opener))
    told = [error.message for error in refused.value.errors]
    assert "请上传张*的“申请人身份证明”" in told
    assert len(told) == 7
    assert await _state(city, case) is State.DRAFT


async def test_a_file_whose_content_was_lost_counts_as_missing(city: World):
    case = await make.ready(city)
    record = await queries.full(city.needs, application_id=case.id)
    lost = next(file for file in record.files if file.code == "M07")
    await city.files.delete(scope_of(case.id), lost.digest)
    with pytest.raises(errors.MaterialsMissing) as refused:
        await service.request_confirmation(city.needs, **_by(case, case.opener))
    assert [error.field for error in refused.value.errors] == ["materials.M07"]


async def test_the_statement_says_everything_and_hides_the_others_numbers(city: World):
    case = await make.asked(city)
    given = await make.answers(city, case, case.buyer)
    shown = await service.answer_inquiry(city.needs, **_by(case, case.buyer), answers=given)
    assert shown.digest == statement.digest(orjson.loads(statement.canonical(shown.statement)))
    for words in (
        "张明",
        "王强",
        "320106199003079973",
        "2,000,000.00元（200万元）",
        "软件大道18号",
        "3幢302室",
        "询问笔录",
    ):
        assert words in shown.text
    assert "份额全部" in shown.text
    assert "申请人身份证明（李静）：1份文件" in shown.text
    assert "32010219850312999X" not in shown.text + str(shown.statement)
    assert "真实性承诺书" in shown.text
    again = await queries.inquiry(city.needs, **_by(case, case.buyer))
    assert again.answers == given


@pytest.mark.parametrize(
    ("fen", "text"), [(200_000_000, "2,000,000.00元（200万元）"), (123_456, "1,234.56元"), (5, "0.05元")]
)
def test_a_price_is_written_so_that_zeros_are_not_misread(fen: int, text: str):
    assert statement._money(fen) == text


async def test_another_answer_makes_another_digest(city: World):
    case = await make.asked(city)
    given = await make.answers(city, case, case.buyer)
    first = await service.answer_inquiry(city.needs, **_by(case, case.buyer), answers=given)
    other = {**given, "other_matters": "yes"}
    second = await service.answer_inquiry(city.needs, **_by(case, case.buyer), answers=other)
    assert first.digest != second.digest
    pending = await queries.pending_confirmation(city.needs, **_by(case, case.buyer))
    assert pending is not None
    assert pending.digest == second.digest
    assert await queries.pending_confirmation(city.needs, **_by(case, case.opener)) is None


async def test_the_inquiry_is_answered_whole_and_while_it_is_asked(city: World):
    case = await make.ready(city)
    with pytest.raises(errors.NotAwaitingConfirmation):
        await service.answer_inquiry(city.needs, **_by(case, case.buyer), answers={})
    await service.request_confirmation(city.needs, **_by(case, case.opener))
    with pytest.raises(errors.InquiryIncomplete):
        await service.answer_inquiry(city.needs, **_by(case, case.buyer), answers={})
    assert (await queries.inquiry(city.needs, **_by(case, case.buyer))).answers is None


async def test_the_last_owner_claims_the_unit(city: World):
    case = await make.asked(city)
    await make.confirm(city, case, case.buyer)
    await make.confirm(city, case, case.sellers[0])
    assert await fetch("SELECT id FROM applications_claim") == []
    await make.confirm(city, case, case.sellers[1])
    (claim,) = await fetch("SELECT application_id, unit_code, right_code FROM applications_claim")
    assert claim == {"application_id": case.id, "unit_code": make.H1, "right_code": "state_land_and_house"}
    record = await queries.full(city.needs, application_id=case.id)
    assert {party.state for party in record.parties} == {PartyState.CONFIRMED}
    assert record.state is State.AWAITING_CONFIRMATION
    for confirmation in record.confirmations:
        assert statement.digest(confirmation.statement) == confirmation.digest


async def test_confirming_is_refused_for_a_reason(city: World):
    case = await make.asked(city)
    given = {"digest": "0" * 64, "face_check_id": new_id(), "signature": make.PNG}
    with pytest.raises(errors.InquiryNotAnswered):
        await service.confirm(city.needs, **_by(case, case.buyer), **given)
    with pytest.raises(errors.StatementChanged):
        await make.confirm(city, case, case.buyer, digest="0" * 64)
    for signature in (make.JPEG, make.PNG + bytes(600_000), b""):
        with pytest.raises(errors.SignatureInvalid):
            await make.confirm(city, case, case.buyer, signature=signature)
    key = make.request_key("confirm-1", clock=city.clock)
    await make.confirm(city, case, case.buyer, key=key)
    (kept,) = await fetch("SELECT result_id, status FROM kit_idempotency_key WHERE request_key = 'confirm-1'")
    assert kept == {"result_id": case.id, "status": 201}
    with pytest.raises(errors.AlreadyConfirmed):
        await make.confirm(city, case, case.buyer)
    with pytest.raises(errors.AlreadyConfirmed):
        await service.confirm(city.needs, **_by(case, case.buyer), **given)


async def _rival(city: World, case: Case) -> Case:
    """Another sale of the same unit by the same owners, one owner short of confirmed."""
    rival = await make.asked(city)
    await make.confirm(city, rival, rival.sellers[0])
    del case
    return rival


async def test_a_claimed_unit_is_told_until_when_only(city: World):
    case = await make.confirmed(city)
    rival = await _rival(city, case)
    with pytest.raises(errors.UnitClaimed) as refused:
        await make.confirm(city, rival, rival.sellers[1])
    (claim,) = await fetch("SELECT application_id FROM applications_claim")
    assert claim["application_id"] == case.id
    assert set(refused.value.extra) == {"until"}
    record = await queries.full(city.needs, application_id=rival.id)
    assert record.parties[1].state is PartyState.WAITING


async def test_a_party_of_both_is_told_which_application_has_the_unit(city: World):
    case = await make.submitted(city)
    rival = await make.asked(city)
    number = (await queries.full(city.needs, application_id=case.id)).number
    # The same person: the claim's application knows them too.
    await _rebind(rival.sellers[1], to=case.sellers[1])
    await make.confirm(city, rival, rival.sellers[0])
    with pytest.raises(errors.UnitClaimed) as refused:
        await make.confirm(city, rival, case.sellers[1])
    assert refused.value.extra["application"] == {"id": case.id, "number": number}
    later = city.clock.now().replace(month=5, day=15)
    assert refused.value.extra["until"] == rfc3339(later)


async def _rebind(person: Person, *, to: Person) -> None:
    from server.applications.models import ApplicationParty

    await ApplicationParty.filter(resident_id=person.resident_id).update(resident_id=to.resident_id)


async def test_a_claim_past_its_time_may_be_taken_over(city: World):
    await make.confirmed(city)
    city.clock.advance(seconds=60 * 86_400)
    rival = await make.confirmed(city)
    (claim,) = await fetch("SELECT application_id FROM applications_claim")
    assert claim["application_id"] == rival.id


async def test_one_who_refuses_ends_it_for_all(city: World):
    case = await make.asked(city)
    for seller in case.sellers:
        await make.confirm(city, case, seller)
    key = make.request_key("refuse-1", clock=city.clock)
    await service.refuse(city.needs, **_by(case, case.buyer), reason="价格不对", key=key)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.notice) == (State.PARTY_REFUSED, {"party": 2, "reason": "价格不对"})
    assert record.parties[2].state is PartyState.REFUSED
    assert await fetch("SELECT id FROM applications_claim") == []
    assert (await make.published(case.id))[-1] == "applications.party_refused"
    with pytest.raises(errors.NotAwaitingConfirmation):
        await make.confirm(city, case, case.buyer)


async def test_a_stranger_can_neither_confirm_nor_refuse(city: World):
    case, stranger = await make.asked(city), make.people()[3]
    with pytest.raises(errors.ApplicationNotFound):
        await service.refuse(city.needs, **_by(case, stranger), reason="不同意")
    with pytest.raises(errors.ApplicationNotFound):
        await make.confirm(city, case, stranger)
    await service.refuse(city.needs, **_by(case, case.buyer), reason="不同意")


async def test_reopening_makes_all_confirmations_void(city: World):
    case = await make.confirmed(city)
    key = make.request_key("reopen-1", clock=city.clock)
    await service.reopen(city.needs, **_by(case, case.buyer), key=key)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.confirmations) == (State.DRAFT, ())
    assert {party.state for party in record.parties} == {PartyState.WAITING}
    assert await fetch("SELECT id FROM applications_claim") == []
    with pytest.raises(errors.NotReopenable):
        await service.reopen(city.needs, **_by(case, case.buyer))


async def test_two_last_owners_in_the_same_moment(city: World, monkeypatch: pytest.MonkeyPatch):
    await make.confirmed(city)
    rival = await _rival(city, await make.draft(city))
    from server.applications.models import ApplicationClaim

    class _NobodyYet:
        def select_for_update(self) -> "_NobodyYet":
            return self

        async def first(self) -> None:
            return None

    monkeypatch.setattr(ApplicationClaim, "filter", lambda **_: _NobodyYet())
    with pytest.raises(errors.UnitClaimed):
        await make.confirm(city, rival, rival.sellers[1])
