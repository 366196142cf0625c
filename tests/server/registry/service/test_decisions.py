"""Acceptance, correction, refusal, review and what every decision leaves behind."""

import asyncio
from datetime import date

import pytest

from kit.audit.models import AuditRecord
from kit.idempotency.models import IdempotencyKey
from kit.idempotency.service import RequestKey
from kit.ids import new_id
from kit.outbox.models import OutboxRow
from server.registry import errors, queries, service
from server.registry.models import (
    RegistryCase,
    RegistryClaim,
    RegistryDecision,
    RegistryHolder,
    RegistryMessage,
    RegistryRight,
    RegistryTrack,
    RegistryUnit,
)
from server.terms.scope import Scope
from tests.factories import registry
from tests.factories.registry import HERE, OFFICER


async def sent(desk: registry.Desk) -> list[tuple[str, dict[str, object]]]:
    """Send everything that is queued, in order, and answer kind and body of each."""
    for row in await RegistryMessage.filter(state="queued").order_by("id"):
        await service.send_message(desk.needs, message_id=row.id)
    return [(message.kind, dict(message.body)) for message in desk.platform.sent]


async def test_acceptance_gives_number_promise_claim_and_voucher(desk: registry.Desk) -> None:
    case_id, application_id = await registry.accepted(desk.needs)
    case = await RegistryCase.get(id=case_id)
    assert (case.state, case.case_number, case.promised_on) == (
        "accepted",
        "20260316-320114-000001",
        date(2026, 3, 23),
    )
    assert {track.state for track in await RegistryTrack.filter(case_id=case_id)} == {"open"}
    claim = await RegistryClaim.get(case_id=case_id)
    assert (claim.unit_code, claim.right_type) == (registry.H1, "state_land_and_house")
    [(kind, body)] = await sent(desk)
    assert kind == "acceptance"
    assert body["case_number"] == "20260316-320114-000001"
    assert body["promised_on"] == "2026-03-23"
    assert body["locations"] == ["南京市雨花台区软件大道18号云锦花园3幢302室"]
    assert body["officer_no"] == OFFICER
    decision = await RegistryDecision.get(case_id=case_id)
    assert (decision.kind, decision.decided_by) == ("acceptance", OFFICER)
    assert "材料齐全" not in decision.content_sealed
    deed = await AuditRecord.get(action="registry.acceptance")
    assert (deed.actor_kind, deed.actor_id, deed.subject_id) == ("staff", OFFICER, case_id)
    assert await OutboxRow.filter(event_name="registry.message_queued", ordering_key=application_id).count() == 1


async def test_a_case_of_another_district_is_not_there(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    for scope in (registry.ELSEWHERE, Scope.of()):
        with pytest.raises(errors.CaseNotFound):
            await service.accept(desk.needs, staff_id=OFFICER, scope=scope, case_id=case_id, opinion="")
    with pytest.raises(errors.CaseNotFound):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=new_id(), opinion="")
    assert (await RegistryCase.get(id=case_id)).state == "received"


async def test_a_stale_page_decides_nothing(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    with pytest.raises(errors.CaseStale):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="", version=7)
    await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="", version=1)


async def test_accepting_twice_is_refused_and_the_key_is_settled_once(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    key = RequestKey(new_id(), f"staff:{OFFICER}", "accept", "key-00001", "d" * 64, desk.clock)
    await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="", key=key)
    with pytest.raises(errors.CaseStateWrong):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    stored = await IdempotencyKey.get(request_key="key-00001")
    assert (stored.result_id, stored.status) == (case_id, 200)
    assert await RegistryMessage.filter(kind="acceptance").count() == 1


async def test_two_officers_accept_two_cases_on_one_unit_and_one_wins(desk: registry.Desk) -> None:
    cases = [(await registry.received(desk.needs))[0] for _ in range(4)]
    outcomes = await asyncio.gather(
        *(service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="") for case_id in cases),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes if outcome is not None] == ["UnitOccupied"] * 3
    assert await RegistryCase.filter(state="accepted").count() == 1
    assert await RegistryClaim.all().count() == 1


async def test_a_claim_keeps_out_what_the_table_would_let_in(desk: registry.Desk) -> None:
    """The claim is a unique row: whoever comes to the same right is kept out by it alone."""
    holder, _ = await registry.received(desk.needs)
    case_id, _ = await registry.received(desk.needs)
    await RegistryClaim.create(
        id=new_id(),
        unit_code=registry.H1,
        right_type="state_land_and_house",
        case_id=holder,
        taken_at=desk.clock.now(),
    )
    with pytest.raises(errors.UnitOccupied):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")


async def other_right(desk: registry.Desk, kind: str) -> None:
    unit = await RegistryUnit.get(unit_code=registry.H1)
    now = desk.clock.now()
    await RegistryRight.create(
        id=new_id(),
        unit_id=unit.id,
        right_type=kind,
        entry_kind=kind,
        registration_type="first",
        co_ownership="sole",
        current_of=f"{unit.id}:{kind}",
        held_since=date(2026, 1, 1),
        created_at=now,
        updated_at=now,
    )


async def test_a_registered_seizure_keeps_a_sale_out_with_its_reason(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    await other_right(desk, "seizure")
    with pytest.raises(errors.UnitOccupied) as caught:
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    assert "查封" in caught.value.detail


async def test_a_registered_mortgage_lets_a_sale_in_and_shows(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    await other_right(desk, "first_mortgage")
    await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    found = await queries.unit(desk.needs, unit_code=registry.H1, certificate_number=registry.H1_NUMBER)
    assert found is not None
    assert found.encumbered


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate_number": "苏(2019)南京市不动产权第0000099号"},
        {"register_version": 1},
        {"sellers": (registry.P1,)},
        {"sellers": (registry.P1, registry.P4)},
        {"right_type": "mortgage"},
        {"unit_code": "320114001002GB00012F00180303"},
    ],
)
async def test_what_the_register_does_not_say_is_not_accepted(desk: registry.Desk, changes: dict[str, object]) -> None:
    case_id, _ = await registry.received(desk.needs, entries=[registry.entry(**changes)])  # type: ignore[arg-type]
    with pytest.raises(errors.RegisterChanged):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    assert not await RegistryClaim.all().count()


async def test_an_application_without_a_version_is_held_against_the_facts_alone(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs, entries=[registry.entry(register_version=None)])
    await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    assert (await RegistryCase.get(id=case_id)).state == "accepted"


async def test_a_unit_of_another_district_is_not_this_registrys(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs, district="320105")
    with pytest.raises(errors.RegisterChanged):
        await service.accept(desk.needs, staff_id=OFFICER, scope=registry.ELSEWHERE, case_id=case_id, opinion="")


async def test_shares_that_are_not_whole_are_not_accepted(desk: registry.Desk) -> None:
    entry = registry.entry(buyers=[(registry.P3, (1, 2))])
    case_id, _ = await registry.received(desk.needs, entries=[entry])
    with pytest.raises(errors.SharesWrong):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")


async def test_a_correction_asks_for_everything_at_once(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    items = ["合同缺第三页", "身份证反面不清"]
    await service.ask_correction(
        desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, items=items, deadline_days=15
    )
    [(kind, body)] = await sent(desk)
    assert (kind, body["items"], body["deadline"]) == ("correction_notice", items, "2026-03-31")
    assert (await RegistryCase.get(id=case_id)).state == "correction_asked"
    with pytest.raises(errors.CaseStateWrong):
        await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")


async def test_a_refusal_before_acceptance_and_one_after_it(desk: registry.Desk) -> None:
    first, _ = await registry.received(desk.needs)
    await _refuse(desk, first)
    second, _ = await registry.accepted(desk.needs)
    await _refuse(desk, second)
    refusals = [body["stage"] for kind, body in await sent(desk) if kind == "refusal"]
    assert refusals == ["acceptance", "registration"]
    assert not await RegistryClaim.all().count()
    await registry.accepted(desk.needs)  # the unit is free again


async def _refuse(desk: registry.Desk, case_id: str) -> None:
    await service.refuse(
        desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, ground="材料不齐全", opinion="见告知书"
    )


async def test_a_rejected_review_may_be_passed_later_and_a_passed_one_is_done(desk: registry.Desk) -> None:
    case_id, _ = await registry.accepted(desk.needs)
    for result in ("rejected", "passed"):
        await service.review(
            desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, result=result, opinion="见审核意见"
        )
    steps = [body["state"] for kind, body in await sent(desk) if kind == "step"]
    assert steps == ["failed", "done"]
    with pytest.raises(errors.CaseStateWrong):
        await service.review(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion="")


async def test_a_case_without_a_review_track_has_no_review(desk: registry.Desk) -> None:
    case_id, _ = await registry.accepted(desk.needs)
    await RegistryTrack.filter(case_id=case_id, code="review").delete()
    with pytest.raises(errors.CaseStateWrong):
        await service.review(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion="")


async def test_a_withdrawal_frees_the_unit_until_the_entry(desk: registry.Desk) -> None:
    case_id, application_id = await registry.accepted(desk.needs)
    await service.withdraw(desk.needs, message=registry.up("withdrawal", application_id, {}))
    await service.withdraw(desk.needs, message=registry.up("withdrawal", application_id, {}))
    assert (await RegistryCase.get(id=case_id)).state == "withdrawn"
    assert await AuditRecord.filter(action="registry.withdrawn").count() == 1
    entered, application_id = await registry.entered(desk.needs)
    await service.withdraw(desk.needs, message=registry.up("withdrawal", application_id, {}))
    assert (await RegistryCase.get(id=entered)).state == "entered"
    with pytest.raises(errors.CaseNotHereYet):
        await service.withdraw(desk.needs, message=registry.up("withdrawal", new_id(), {}))


async def test_the_holders_are_sealed_and_found_by_blind_index(desk: registry.Desk) -> None:
    blind = desk.needs.cipher.blind(registry.P1.id_number, purpose="id_number")
    holder = await RegistryHolder.get(id_number_blind=blind)
    assert registry.P1.name not in holder.name_sealed
    assert holder.certificate_number == registry.H1_NUMBER
