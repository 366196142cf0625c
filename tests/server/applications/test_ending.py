import pytest

from kit.db import fetch
from server.applications import errors, queries, service
from server.applications.models import Application
from server.applications.states import State
from tests.factories import applications as make
from tests.factories.applications import Case, World


async def _withdraw(city: World, case: Case) -> None:
    await service.withdraw(
        city.needs,
        application_id=case.id,
        resident_id=case.buyer.resident_id,
        key=make.request_key(f"withdraw-{case.id}", clock=city.clock),
    )


async def _state(case: Case) -> str:
    return (await Application.get(id=case.id)).state


async def test_withdrawing_frees_the_unit_and_tells_the_registry_if_it_knows(city: World):
    early, late = await make.confirmed(city), None
    await _withdraw(city, early)
    assert await fetch("SELECT id FROM applications_claim") == []
    assert "applications.withdrawn" not in await make.published(early.id)
    late = await make.submitted(city)
    await _withdraw(city, late)
    assert (await make.published(late.id))[-1] == "applications.withdrawn"
    assert await _state(late) == State.WITHDRAWN
    with pytest.raises(errors.NotWithdrawable):
        await _withdraw(city, early)


async def test_an_accepted_application_is_not_withdrawn_by_phone(city: World):
    case = await make.accepted(city)
    with pytest.raises(errors.NotWithdrawable):
        await _withdraw(city, case)


async def test_nothing_ends_while_somebody_pays(city: World):
    case = await make.asked(city)
    await service.set_hold(city.needs, application_id=case.id)
    await service.set_hold(city.needs, application_id=case.id)
    with pytest.raises(errors.PaymentInProgress):
        await _withdraw(city, case)
    with pytest.raises(errors.PaymentInProgress):
        await service.refuse(city.needs, application_id=case.id, resident_id=case.buyer.resident_id, reason="不同意")
    with pytest.raises(errors.PaymentInProgress):
        await service.reopen(city.needs, application_id=case.id, resident_id=case.buyer.resident_id)
    with pytest.raises(errors.PaymentInProgress):
        await service.set_hold(city.needs, application_id=case.id, hold="audit")
    city.clock.advance(seconds=4 * 86_400)
    assert await service.expire_due(city.needs) == 0
    await service.release_hold(city.needs, application_id=case.id)
    await service.release_hold(city.needs, application_id=case.id)
    assert await service.expire_due(city.needs) == 1


async def test_what_is_not_confirmed_in_time_expires(city: World):
    waiting, draft, done = await make.confirmed(city), await make.draft(city), None
    await service.withdraw(city.needs, application_id=waiting.id, resident_id=waiting.buyer.resident_id)
    waiting, done = await make.asked(city), await make.submitted(city)
    city.clock.advance(seconds=3 * 86_400)
    assert await service.expire_due(city.needs) == 1
    assert [await _state(case) for case in (waiting, draft, done)] == [State.EXPIRED, State.DRAFT, State.SUBMITTED]
    assert (await make.published(waiting.id))[-1] == "applications.expired"
    city.clock.advance(seconds=28 * 86_400)
    assert await service.expire_due(city.needs) == 1
    assert await _state(draft) == State.EXPIRED


async def test_one_that_moved_on_meanwhile_does_not_expire(city: World, monkeypatch: pytest.MonkeyPatch):
    case = await make.asked(city)
    city.clock.advance(seconds=4 * 86_400)
    from server.applications.service import ending

    monkeypatch.setattr(ending, "may_expire", lambda *_, **__: False)
    assert await service.expire_due(city.needs) == 0
    assert await _state(case) == State.AWAITING_CONFIRMATION


async def test_unknown_applications_are_not_found(city: World):
    with pytest.raises(errors.ApplicationNotFound):
        await service.set_hold(city.needs, application_id="0" * 32)
    assert await queries.list_for_resident(city.needs, resident_id="0" * 32) == []
