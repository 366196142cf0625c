import asyncio
from datetime import date

import pytest

from kit.ids import new_id
from kit.outbox.models import OutboxRow
from server.registry import errors, queries, service
from server.registry.due import due_certificates
from server.registry.models import (
    RegistryCase,
    RegistryClaim,
    RegistryHolder,
    RegistryMessage,
    RegistryRegisterEntry,
    RegistryRight,
    RegistryTrack,
)
from tests.factories import registry
from tests.factories.registry import HERE, OFFICER


async def enter(desk: registry.Desk, case_id: str) -> None:
    await service.enter(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id)


async def test_the_entry_waits_for_review_and_tax_and_says_so(desk: registry.Desk) -> None:
    case_id, application_id = await registry.accepted(desk.needs)
    with pytest.raises(errors.ReviewNotPassed) as review:
        await enter(desk, case_id)
    assert review.value.extra == {"waits_for": ["review", "tax"]}
    await service.review(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion="")
    with pytest.raises(errors.TaxNotCleared) as tax:
        await enter(desk, case_id)
    assert (tax.value.code, tax.value.kind.value) == ("TAX_NOT_CLEARED", 409)
    assert not await RegistryRegisterEntry.all().count()
    await service.record_evidence(desk.needs, message=registry.evidence("evidence_tax", application_id))
    await enter(desk, case_id)
    assert (await RegistryCase.get(id=case_id)).state == "entered"


async def test_the_entry_ends_the_old_right_and_begins_the_new(desk: registry.Desk) -> None:
    case_id, application_id = await registry.entered(desk.needs)
    line = await RegistryRegisterEntry.get(case_id=case_id)
    old, new = await RegistryRight.get(id=line.old_right_id), await RegistryRight.get(id=line.new_right_id)
    assert (old.state, old.current_of) == ("history", None)
    assert (new.state, new.previous_id, new.co_ownership) == ("current", old.id, "sole")
    assert (new.price_fen, new.held_since) == (200_000_000, date(2026, 3, 16))
    holder = await RegistryHolder.get(right_id=new.id)
    assert holder.id_number_blind == desk.needs.cipher.blind(registry.P3.id_number, purpose="id_number")
    assert (line.rec_type, line.case_number, line.entered_by) == ("2000402", "20260316-320114-000001", OFFICER)
    assert not await RegistryClaim.all().count()
    assert await OutboxRow.filter(event_name="registry.entered", ordering_key=case_id).count() == 1
    assert await RegistryMessage.filter(kind="entered", application_id=application_id).count() == 1


async def test_four_officers_enter_at_once_and_it_is_entered_once(desk: registry.Desk) -> None:
    case_id, _ = await registry.ready(desk.needs)
    outcomes = await asyncio.gather(*(enter(desk, case_id) for _ in range(4)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CaseStateWrong"] * 3 + ["NoneType"]
    assert await RegistryRegisterEntry.all().count() == 1
    assert await RegistryRight.filter(state="current").count() == 1


async def test_a_register_that_changed_after_acceptance_stops_the_whole_entry(desk: registry.Desk) -> None:
    case_id, _ = await registry.ready(desk.needs)
    await RegistryRight.filter(state="current").update(version=9)
    with pytest.raises(errors.RegisterChanged):
        await enter(desk, case_id)
    assert (await RegistryCase.get(id=case_id)).state == "accepted"
    assert await RegistryRight.all().count() == 1


async def test_the_same_evidence_twice_closes_its_track_once(desk: registry.Desk) -> None:
    case_id, application_id = await registry.accepted(desk.needs)
    for _ in range(2):
        await service.record_evidence(desk.needs, message=registry.evidence("evidence_tax", application_id))
    track = await RegistryTrack.get(case_id=case_id, code="tax")
    assert track.state == "done"
    assert track.evidence_sealed is not None
    assert "2000000" not in track.evidence_sealed
    assert (await RegistryCase.get(id=case_id)).version == 3


async def test_evidence_before_its_case_waits_and_for_no_track_is_let_pass(desk: registry.Desk) -> None:
    with pytest.raises(errors.CaseNotHereYet):
        await service.record_evidence(desk.needs, message=registry.evidence("evidence_tax", new_id()))
    case_id, application_id = await registry.accepted(desk.needs)
    await RegistryTrack.filter(case_id=case_id, code="fee").delete()
    await service.record_evidence(desk.needs, message=registry.evidence("evidence_fee", application_id))
    assert (await RegistryCase.get(id=case_id)).version == 2


async def test_an_unpaid_fee_holds_up_the_certificate_and_not_the_entry(desk: registry.Desk) -> None:
    case_id, application_id = await registry.ready(desk.needs, fee=False)
    await enter(desk, case_id)
    assert (await due_certificates(desk.needs, case_id=case_id)).certificates == ()
    case = await queries.case(desk.needs, scope=HERE, case_id=case_id)
    assert [blocker.code for blocker in case.waits_for] == ["FEE_NOT_SETTLED"]
    assert not await OutboxRow.exists(event_name="registry.certificates_released")
    await service.record_evidence(desk.needs, message=registry.evidence("evidence_fee", application_id))
    assert await OutboxRow.filter(event_name="registry.certificates_released").count() == 1
    assert len((await due_certificates(desk.needs, case_id=case_id)).certificates) == 1


async def test_a_late_track_releases_nothing_while_another_is_open(desk: registry.Desk) -> None:
    case_id, application_id = await registry.ready(desk.needs, fee=False)
    await enter(desk, case_id)
    await RegistryTrack.filter(case_id=case_id, code="tax").update(state="open")
    await service.record_evidence(desk.needs, message=registry.evidence("evidence_tax", application_id))
    assert not await OutboxRow.exists(event_name="registry.certificates_released")


async def test_owners_together_get_one_certificate_that_supersedes_the_old(desk: registry.Desk) -> None:
    entry = registry.entry(buyers=[(registry.P3, None), (registry.P4, None)])
    case_id, application_id = await registry.entered(desk.needs, entries=[entry])
    due = await due_certificates(desk.needs, case_id=case_id)
    [certificate] = due.certificates
    assert (due.application_id, certificate.position, certificate.co_ownership) == (application_id, 1, "joint")
    assert [owner.name for owner in certificate.holders] == ["王强", "陈晓"]
    assert certificate.supersedes == ("0192f3a45b6c7d8e9f00112233445566",)
    assert certificate.unit.building_area == 8950


async def test_owners_by_shares_get_one_certificate_each(desk: registry.Desk) -> None:
    entry = registry.entry(buyers=[(registry.P3, (2, 3)), (registry.P4, (1, 3))])
    case_id, _ = await registry.entered(desk.needs, entries=[entry])
    due = await due_certificates(desk.needs, case_id=case_id)
    assert [(one.position, one.holder_positions) for one in due.certificates] == [(1, (1,)), (2, (2,))]
    assert [one.holders[0].share_numerator for one in due.certificates] == [2, 1]
