import asyncio

import pytest

from kit.audit.models import AuditRecord
from kit.db import fetch
from kit.ids import new_id
from server.delivery import queries, service
from server.delivery.errors import (
    CarrierNotOffered,
    DeliveryNotFound,
    DeliveryOpen,
    DeliveryStateWrong,
    WaybillUsed,
)
from server.delivery.models import DeliveryOrder
from server.delivery.states import ParcelState
from server.terms.errors import TermError
from server.terms.scope import Scope
from tests.factories.deliveries import CLERK, HERE, RECEIVER, WAYBILL, PostDesk, desk, receiver

ELSEWHERE = Scope.of("320115")


@pytest.fixture
def at_desk(db: object) -> PostDesk:
    return desk()


async def test_what_is_asked_for_is_kept_sealed_and_shown_masked(at_desk: PostDesk) -> None:
    resident = new_id()
    delivery_id = await at_desk.asked(resident_id=resident)
    (row,) = await fetch("SELECT * FROM delivery_order")
    clear = " ".join(str(value) for value in row.values())
    for name in ("name", "phone", "address", "postcode"):
        assert RECEIVER[name] not in clear, name
    assert (row["phone_last4"], row["state"]) == ("1234", "requested")
    view = await queries.one_of_mine(at_desk.needs, resident_id=resident, delivery_id=delivery_id)
    assert (view.name_masked, view.phone_masked) == ("王*", "139****1234")
    assert view.address_masked == "软件大道18" + "*" * 11


async def test_one_paper_is_asked_for_once(at_desk: PostDesk) -> None:
    certificate = new_id()
    first = await at_desk.asked(certificate_id=certificate)
    with pytest.raises(DeliveryOpen):
        await at_desk.asked(certificate_id=certificate)
    order = await at_desk.order(first)
    await service.cancel(at_desk.needs, resident_id=order.resident_id, delivery_id=first, key=at_desk.key())
    assert await at_desk.asked(certificate_id=certificate) != first
    traces = await AuditRecord.filter(subject_id=first).order_by("seq")
    assert [(each.actor_kind, each.actor_id, each.action) for each in traces] == [
        ("resident", order.resident_id, "delivery.requested"),
        ("resident", order.resident_id, "delivery.cancelled"),
    ]


async def test_two_requests_at_once_make_one_order(at_desk: PostDesk) -> None:
    certificate = new_id()
    done = await asyncio.gather(*(at_desk.asked(certificate_id=certificate) for _ in range(4)), return_exceptions=True)
    assert [type(each) for each in done if not isinstance(each, str)] == [DeliveryOpen] * 3
    assert await DeliveryOrder.filter(certificate_id=certificate).count() == 1


async def test_a_request_may_be_taken_back_until_it_is_sent(at_desk: PostDesk) -> None:
    order = await at_desk.on_its_way()
    with pytest.raises(DeliveryStateWrong):
        await service.cancel(at_desk.needs, resident_id=order.resident_id, delivery_id=order.id, key=at_desk.key())
    with pytest.raises(DeliveryNotFound):
        await service.cancel(at_desk.needs, resident_id=new_id(), delivery_id=order.id, key=at_desk.key())
    assert (await at_desk.order(order.id)).state == ParcelState.DISPATCHED


@pytest.mark.parametrize("part", ["name", "phone", "district", "address", "postcode"])
def test_a_receiver_that_cannot_be(part: str) -> None:
    with pytest.raises(TermError):
        receiver(**{part: "1"})


async def test_nobody_reads_anothers(at_desk: PostDesk) -> None:
    delivery_id = await at_desk.asked()
    with pytest.raises(DeliveryNotFound):
        await queries.one_of_mine(at_desk.needs, resident_id=new_id(), delivery_id=delivery_id)
    assert await queries.mine(at_desk.needs, resident_id=new_id()) == []
    with pytest.raises(DeliveryNotFound):
        await queries.one_in_scope(at_desk.needs, scope=ELSEWHERE, delivery_id=delivery_id)
    assert await queries.listed(at_desk.needs, scope=ELSEWHERE) == []
    assert len(await queries.listed(at_desk.needs, scope=HERE)) == 1
    assert len(await queries.listed(at_desk.needs, scope=Scope.all(), state=ParcelState.REQUESTED)) == 1
    assert await queries.listed(at_desk.needs, scope=Scope.all(), state=ParcelState.SIGNED) == []


async def test_the_label_in_clear_leaves_a_trace(at_desk: PostDesk) -> None:
    delivery_id = await at_desk.asked()
    label = await service.label(
        at_desk.needs, staff_id=CLERK, scope=HERE, delivery_id=delivery_id, reason="填写邮件面单"
    )
    assert (label.name, label.phone, label.postcode) == ("王强", "13900001234", "210012")
    assert "不动产" not in label.contents_code + label.contents_text
    trace = await AuditRecord.get(action="delivery.receiver_shown")
    assert (trace.actor_id, trace.subject_id, trace.reason) == (CLERK, delivery_id, "填写邮件面单")
    with pytest.raises(DeliveryNotFound):
        await service.label(at_desk.needs, staff_id=CLERK, scope=ELSEWHERE, delivery_id=delivery_id, reason="看看")
    assert await AuditRecord.filter(action="delivery.receiver_shown").count() == 1


async def test_sending_needs_its_district_a_right_waybill_and_a_carrier_that_is_there(at_desk: PostDesk) -> None:
    first, second = await at_desk.asked(), await at_desk.asked()
    with pytest.raises(DeliveryNotFound):
        await at_desk.send(first, scope=ELSEWHERE)
    with pytest.raises(TermError):
        await at_desk.send(first, waybill="EK123456784CN")
    with pytest.raises(CarrierNotOffered):
        await at_desk.send(first, carrier="shunfeng", waybill="SF1234567890")
    await at_desk.send(first)
    with pytest.raises(DeliveryStateWrong):
        await at_desk.send(first, waybill="1136281381675")
    with pytest.raises(WaybillUsed):
        await at_desk.send(second, waybill=WAYBILL.lower())
    sent = await at_desk.order(first)
    assert (sent.state, sent.watch, sent.dispatched_by) == ("dispatched", "pending", CLERK)
    assert sent.old_certificate_recalled is True
    assert await AuditRecord.filter(action="delivery.dispatched", subject_id=first).count() == 1
    assert (await at_desk.order(second)).state == "requested"
