import pytest

from server.registry import errors, queries, service
from server.terms.scope import Scope
from tests.factories import registry
from tests.factories.registry import ELSEWHERE, HERE, OFFICER


async def test_lists_are_kept_to_the_scope_and_page_by_page(desk: registry.Desk) -> None:
    ids = [(await registry.received(desk.needs))[0] for _ in range(3)]
    assert [line.id for line in await queries.cases(desk.needs, scope=HERE)] == ids[::-1]
    assert [line.id for line in await queries.cases(desk.needs, scope=Scope.all(), limit=2)] == ids[:0:-1]
    assert [line.id for line in await queries.cases(desk.needs, scope=HERE, before=ids[1])] == ids[:1]
    assert await queries.cases(desk.needs, scope=ELSEWHERE) == []
    await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=ids[0], opinion="")
    assert [line.id for line in await queries.cases(desk.needs, scope=HERE, state="accepted")] == ids[:1]


async def test_a_whole_case(desk: registry.Desk) -> None:
    case_id, application_id = await registry.received(desk.needs)
    case = await queries.case(desk.needs, scope=HERE, case_id=case_id)
    assert (case.line.application_id, case.line.promised_on, case.waits_for) == (application_id, None, ())
    assert case.business_name
    assert [party.role for party in case.entries[0].parties] == ["obligor", "obligor", "right_holder"]
    assert len(case.materials) == 3
    await service.accept(desk.needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="")
    case = await queries.case(desk.needs, scope=HERE, case_id=case_id)
    assert str(case.line.promised_on) == "2026-03-23"
    assert [blocker.track for blocker in case.waits_for] == ["review", "tax"]


async def test_a_case_of_another_district_is_not_found(desk: registry.Desk) -> None:
    case_id, _ = await registry.received(desk.needs)
    with pytest.raises(errors.CaseNotFound):
        await queries.case(desk.needs, scope=ELSEWHERE, case_id=case_id)
