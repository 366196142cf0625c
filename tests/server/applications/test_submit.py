import asyncio

import pytest

from kit.db import fetch
from kit.idempotency import RequestKey, once
from server.applications import errors, queries, service
from server.applications.models import ApplicationClaim, ApplicationMaterial
from server.applications.states import State
from tests.factories import applications as make
from tests.factories.applications import Case, World
from tests.support.statements import statements


async def _submit(city: World, case: Case, key: RequestKey | None = None) -> str:
    return await service.submit(city.needs, application_id=case.id, resident_id=case.opener.resident_id, key=key)


async def test_a_submission_gets_its_receipt(city: World):
    case = await make.confirmed(city)
    await _submit(city, case)
    record = await queries.full(city.needs, application_id=case.id)
    assert (record.state, record.number) == (State.SUBMITTED, "SJ-20260316-320114-000001")
    assert record.submitted_at == city.clock.now()
    assert record.expires_at is None
    assert (await make.published(case.id))[-1] == "applications.submitted"
    assert (await make.steps(case.id))[-1] == "submitted"


async def test_a_submission_needs_at_most_twenty_statements(city: World, monkeypatch: pytest.MonkeyPatch):
    case = await make.confirmed(city)

    async def command(key: RequestKey) -> str:
        return await _submit(city, case, key)

    key = make.request_key("submit-1", clock=city.clock)
    with statements(monkeypatch) as sent:
        outcome = await once(key, command, status=201)
        await queries.for_resident(city.needs, application_id=outcome.result_id, resident_id=case.opener.resident_id)
    assert 10 < len(sent) <= 18, "\n".join(sent)  # BEGIN and COMMIT make it twenty


async def test_the_same_key_gives_the_same_receipt_and_another_is_told_so(city: World):
    case = await make.confirmed(city)

    async def command(key: RequestKey) -> str:
        return await _submit(city, case, key)

    first = await once(make.request_key("submit-1", clock=city.clock), command, status=201)
    again = await once(make.request_key("submit-1", clock=city.clock), command, status=201)
    assert (first.result_id, again.replayed) == (again.result_id, True)
    with pytest.raises(errors.AlreadySubmitted) as refused:
        await once(make.request_key("submit-2", clock=city.clock), command, status=201)
    assert refused.value.extra == {"number": "SJ-20260316-320114-000001"}


async def test_everybody_must_have_confirmed(city: World):
    case = await make.asked(city)
    await make.confirm(city, case, case.buyer)
    with pytest.raises(errors.ConfirmationsMissing):
        await _submit(city, case)
    with pytest.raises(errors.NotAwaitingConfirmation):
        await _submit(city, await make.draft(city))


async def test_materials_are_looked_at_again(city: World):
    case = await make.confirmed(city)
    await ApplicationMaterial.filter(application_id=case.id, code="M07").delete()
    with pytest.raises(errors.MaterialsMissing):
        await _submit(city, case)


async def test_a_claim_that_ran_out_is_renewed_unless_somebody_took_it(city: World):
    case = await make.confirmed(city)
    city.clock.advance(seconds=61 * 86_400)
    rival = await make.confirmed(city)
    with pytest.raises(errors.UnitClaimed):
        await _submit(city, case)
    city.clock.advance(seconds=61 * 86_400)
    await _submit(city, rival)
    (claim,) = await ApplicationClaim.all()
    assert claim.application_id == rival.id
    assert claim.expires_at > city.clock.now()


async def test_numbers_count_up_by_day_and_district(city: World):
    case = await make.submitted(city)
    await service.withdraw(city.needs, application_id=case.id, resident_id=case.opener.resident_id)
    await make.submitted(city)
    rows = await fetch("SELECT number FROM applications_application ORDER BY number")
    assert [row["number"] for row in rows] == ["SJ-20260316-320114-000001", "SJ-20260316-320114-000002"]


async def test_two_submissions_in_the_same_moment_give_one_receipt(city: World):
    case = await make.confirmed(city)
    results = await asyncio.gather(*(_submit(city, case) for _ in range(4)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, errors.AlreadySubmitted)] == [case.id]
    assert (await make.published(case.id)).count("applications.submitted") == 1


async def test_two_sales_confirmed_in_the_same_moment_claim_the_unit_once(city: World):
    cases = [await make.asked(city) for _ in range(3)]
    for case in cases:
        await make.confirm(city, case, case.sellers[0])
    results = await asyncio.gather(
        *(make.confirm(city, case, case.sellers[1]) for case in cases), return_exceptions=True
    )
    assert sum(isinstance(result, errors.UnitClaimed) for result in results) == 2
    (claim,) = await ApplicationClaim.all()
    assert claim.application_id in results
