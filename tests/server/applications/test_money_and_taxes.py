from dataclasses import replace
from datetime import timedelta

import pytest

from kit.db import fetch
from kit.errors import OutsideError, Permanent
from kit.failing import failing
from kit.inbox import Inbox
from server.applications import queries, service
from server.applications.events import TaxNoticeArrived
from server.applications.models import Application
from server.applications.ports import Assessment, TaxLine, TaxNotice
from server.applications.records import ApplicationRecord
from tests.factories import applications as make
from tests.factories.applications import Case, World

ORDER = "0192f3a45b6c7d8e9f00112233445588"
DOWN = OutsideError("fake_tax", "TIMEOUT", "no answer in time", permanent=False)


class Killed(BaseException):
    """The process died here."""


async def _record(city: World, case: Case) -> ApplicationRecord:
    return await queries.full(city.needs, application_id=case.id)


async def _track(city: World, case: Case, code: str) -> str:
    return next(track.state for track in (await _record(city, case)).tracks if track.code == code)


async def test_a_fee_is_ordered_paid_and_told_once(city: World):
    case = await make.accepted(city)
    await service.set_hold(city.needs, application_id=case.id)
    for _ in range(2):
        await service.record_fee_order(city.needs, application_id=case.id, order_id=ORDER, amount_fen=8000)
    assert await _track(city, case, "fee") == "open"
    for _ in range(2):
        await service.record_fee_settled(
            city.needs,
            application_id=case.id,
            order_id=ORDER,
            amount_fen=8000,
            paid_at=city.clock.now(),
            transaction_id="4200001",
        )
    record = await _record(city, case)
    assert await _track(city, case, "fee") == "done"
    assert (record.fee_amount_fen, record.fee_paid_at, record.hold) == (8000, city.clock.now(), None)
    assert record.fee_transaction_id == "4200001"
    assert (await make.published(case.id)).count("applications.fee_settled") == 1
    assert (await make.steps(case.id))[-2:] == ["fee_due", "fee"]


async def test_a_settled_fee_leaves_another_hold_alone(city: World):
    case = await make.accepted(city)
    await service.set_hold(city.needs, application_id=case.id, hold="audit")
    await service.record_fee_settled(
        city.needs,
        application_id=case.id,
        order_id=ORDER,
        amount_fen=0,
        paid_at=city.clock.now(),
        transaction_id="",
    )
    assert (await _record(city, case)).hold == "audit"


async def test_the_sale_is_declared_once_and_its_taxes_are_kept(city: World):
    case = await make.accepted(city)
    for _ in range(2):
        await service.declare_taxes(city.needs, application_id=case.id)
    (declared,) = city.bureau.declared
    assert (declared.declaration_no, declared.case_number) == (case.id, "20260316-320114-000001")
    assert (declared.price_fen, declared.area_centiare, declared.usage) == (make.PRICE, 8950, "11")
    assert [payer.name for payer in declared.sellers] == ["张明", "李静"]
    assert [payer.id_number for payer in declared.buyers] == ["320106199003079973"]
    taxes = [(tax.tax, tax.payer, tax.amount_fen) for tax in (await _record(city, case)).taxes]
    assert taxes == [("deed_tax", "buyer", 2_000_000), ("vat", "seller", 0)]
    again = Assessment(case.id, city.clock.now(), [TaxLine("deed_tax", "buyer", 1)])
    await service.record_assessment(city.needs, application_id=case.id, assessment=again)
    assert len((await _record(city, case)).taxes) == 2


@pytest.mark.parametrize("error", [DOWN, Killed()], ids=["no answer", "the process died"])
@pytest.mark.parametrize("after", [False, True], ids=["before the bureau acted", "after the bureau acted"])
async def test_an_answer_lost_declares_once(city: World, error: BaseException, *, after: bool):
    case = await make.accepted(city)
    shaky = replace(city.needs, taxes=failing(city.bureau, [error], after=after, methods={"declare"}))
    with pytest.raises(type(error)):
        await service.declare_taxes(shaky, application_id=case.id)
    assert (await _record(city, case)).taxes == ()
    for _ in range(2):
        await service.declare_taxes(shaky, application_id=case.id)
    assert (len(city.bureau.declared), city.bureau.asked) == (1, 1 + after)
    assert len((await _record(city, case)).taxes) == 2
    assert (await make.steps(case.id)).count("tax_assessed") == 1


async def test_a_business_without_taxes_declares_none(city: World):
    case = await make.accepted(city)
    row = await Application.get(id=case.id)
    row.requirements = row.requirements.replace('"code":"tax"', '"code":"trade"')
    await row.save()
    await service.declare_taxes(city.needs, application_id=case.id)
    assert city.bureau.declared == []
    with pytest.raises(Permanent):
        await service.declare_taxes(city.needs, application_id="0" * 32)


async def _inbox(city: World, event_id: str, body: bytes) -> str:
    kept: list[str] = []

    def announce(inbox_id: str) -> TaxNoticeArrived:
        kept.append(inbox_id)
        return TaxNoticeArrived(inbox_id, event_id)

    needs = city.needs
    assert TaxNoticeArrived("inbox", "event-1").ordering_key == "event-1"
    await Inbox(needs.outbox, needs.cipher, city.clock).receive(
        system="tax", external_id=event_id, body=body, announce=announce
    )
    return kept[0]


async def test_the_bureaus_notice_clears_the_tax_once(city: World):
    case = await make.accepted(city)
    await service.declare_taxes(city.needs, application_id=case.id)
    unreadable = await _inbox(city, "event-0", b"{}")
    with pytest.raises(Permanent):
        await service.record_tax_notice(city.needs, inbox_id=unreadable)
    cleared_at = city.clock.now() + timedelta(minutes=5)
    taxes = [TaxLine("deed_tax", "buyer", 1_990_000)]
    told = TaxNotice("event-1", case.id, "x", cleared_at, "332026", taxes)
    inbox_id = await _inbox(city, told.event_id, city.bureau.write_notice(told))
    for _ in range(2):
        await service.record_tax_notice(city.needs, inbox_id=inbox_id)
    record = await _record(city, case)
    assert (record.tax_certificate_no, record.tax_cleared_at) == ("332026", cleared_at)
    assert [tax.amount_fen for tax in record.taxes] == [1_990_000]
    assert await _track(city, case, "tax") == "done"
    assert (await make.published(case.id)).count("applications.tax_cleared") == 1
    assert await fetch("SELECT code FROM applications_step WHERE code = 'tax'") == [{"code": "tax"}]


async def test_a_notice_without_amounts_keeps_the_assessment(city: World):
    case = await make.accepted(city)
    await service.declare_taxes(city.needs, application_id=case.id)
    await service.record_tax_cleared(
        city.needs,
        application_id=case.id,
        declaration_no=case.id,
        certificate_no="332026",
        cleared_at=city.clock.now(),
    )
    assert len((await _record(city, case)).taxes) == 2


async def test_a_notice_about_nobodys_declaration_is_set_aside(city: World):
    told = TaxNotice("event-1", "0" * 32, "x", city.clock.now(), "332026", [])
    inbox_id = await _inbox(city, told.event_id, city.bureau.write_notice(told))
    with pytest.raises(Permanent):
        await service.record_tax_notice(city.needs, inbox_id=inbox_id)
