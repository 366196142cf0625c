from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from kit.errors import OutsideError, Permanent
from kit.failing import failing
from kit.idempotency import RequestKey, once
from kit.ids import new_id
from payments import queries as orders
from payments import service as payments
from payments.errors import OrderCalledOff, OrderNotFound, PayerAddressMissing
from payments.events import PaymentSettled
from payments.models import Attempt, Order
from payments.refund_rules import RefundCause
from payments.rules import AttemptState, Fault, Line, OrderState, TradeState
from server.applications import queries
from server.applications.events import FeeDue, Refused
from server.applications.models import ApplicationParty
from server.applications.records import ApplicationRecord
from server.applications.service import record_refusal
from server.catalogue import ports, service
from server.catalogue.content import PropertyUse
from server.journeys import fees
from server.journeys.house import House
from server.terms.codes import PartyRole
from server.terms.share import Share
from tests.factories import applications, identity
from tests.factories.payments import Till, till

pytestmark = pytest.mark.usefixtures("db")


class Street:
    """The rooms that the fee passes through."""

    def __init__(self, world: applications.World, at: Till, residents: identity.World) -> None:
        self.world, self.at, self.residents = world, at, residents
        self.catalogue = ports.Needs(clock=at.clock)
        self.house = cast(
            "House",
            SimpleNamespace(
                clock=at.clock,
                applications=world.needs,
                payments=at.needs,
                catalogue=self.catalogue,
                identity=residents.needs,
            ),
        )

    async def accepted(self) -> applications.Case:
        case = await applications.accepted(self.world)
        await fees.fall_due(self.house, FeeDue(case.id))
        return case

    async def order(self, case: applications.Case) -> orders.OrderView:
        found = await orders.order_of(self.at.needs, purpose=fees.PURPOSE, subject_id=case.id)
        assert found is not None
        return found

    async def pay(self, case: applications.Case, resident_id: str) -> str:
        async def command(key: RequestKey) -> str:
            return await fees.pay(self.house, application_id=case.id, resident_id=resident_id, wallet="wechat", key=key)

        return (await once(self.at.key(), command, status=201, calls_outside=True)).result_id

    async def due(self) -> tuple[applications.Case, identity.MadeResident]:
        """A case whose fee is due, and its buyer, who has the wallet."""
        buyer = await identity.resident(self.residents)
        case = await applications.accepted(self.world)
        await ApplicationParty.filter(application_id=case.id, resident_id=case.buyer.resident_id).update(
            resident_id=buyer.id
        )
        await fees.fall_due(self.house, FeeDue(case.id))
        return case, buyer

    async def refuse(self, case: applications.Case) -> None:
        """The registry decides not to register it, and all who hear of it have heard."""
        await record_refusal(
            self.world.needs,
            application_id=case.id,
            ground="材料不实",
            opinion="不予登记",
            refused_at=self.at.clock.now(),
            message_id=new_id(),
        )

    async def settle(self) -> None:
        for event in list(self.at.told):
            await fees.settled(self.house, event)


@pytest.fixture
async def street(db: object, tmp_path: Path) -> Street:
    made = Street(applications.world(tmp_path), till(), identity.world())
    await service.load_shipped(made.catalogue)
    return made


async def test_a_home_costs_eighty_yuan_and_holds_the_application_until_it_is_paid(street: Street) -> None:
    buyer = await identity.resident(street.residents)
    case = await applications.accepted(street.world)
    await ApplicationParty.filter(application_id=case.id, resident_id=case.buyer.resident_id).update(
        resident_id=buyer.id
    )
    await fees.fall_due(street.house, FeeDue(case.id))
    order = await street.order(case)
    held = await queries.full(street.world.needs, application_id=case.id)
    assert (order.amount_fen, order.payer_id, [line.code for line in order.lines]) == (8000, buyer.id, ["registration"])
    assert (held.hold, held.fee_order_id, held.fee_amount_fen) == ("payment", order.id, 8000)

    with pytest.raises(OrderNotFound):
        await street.pay(case, case.sellers[0].resident_id)
    attempt = await Attempt.get(id=await street.pay(case, buyer.id))
    assert street.at.wallet.trades[attempt.out_trade_no].order.payer_address == buyer.openid
    paid = street.at.wallet.pay(attempt.out_trade_no)
    await street.at.work(seconds=30)
    await street.settle()
    await street.settle()

    done = await queries.full(street.world.needs, application_id=case.id)
    assert (done.hold, done.fee_transaction_id, done.fee_paid_at) == (None, paid.transaction_id, paid.paid_at)
    published = await applications.published(case.id)
    assert published.count("applications.fee_settled") == 1


async def test_falling_due_twice_charges_once_and_leaves_no_hold_behind_a_payment(street: Street) -> None:
    case = await street.accepted()
    first = await street.order(case)
    await fees.fall_due(street.house, FeeDue(case.id))
    assert (await street.order(case)).id == first.id

    attempt = await street.at.pay(await Order.get(id=first.id))
    street.at.wallet.pay(attempt.out_trade_no)
    await street.at.work(seconds=30)
    await street.settle()
    await fees.fall_due(street.house, FeeDue(case.id))
    again = await queries.full(street.world.needs, application_id=case.id)
    assert again.hold is None
    assert (await street.order(case)).state is OrderState.SETTLED


async def test_a_payer_without_that_wallet_is_told_to_log_in(street: Street) -> None:
    case = await street.accepted()
    with pytest.raises(PayerAddressMissing):
        await street.pay(case, case.buyer.resident_id)


async def test_without_a_buyers_account_staff_must_look(street: Street) -> None:
    case = await applications.accepted(street.world)
    await ApplicationParty.filter(application_id=case.id, resident_id=case.buyer.resident_id).update(resident_id=None)
    with pytest.raises(Permanent):
        await fees.fall_due(street.house, FeeDue(case.id))


async def test_every_buyer_by_shares_has_a_certificate_of_their_own(street: Street) -> None:
    case = await applications.accepted(street.world)
    record = await queries.full(street.world.needs, application_id=case.id)
    buyer = next(party for party in record.parties if party.role == PartyRole.RIGHT_HOLDER)
    half = replace(buyer.roles[0], share=Share.of(1, 2))
    two = tuple(replace(buyer, id=new_id(), roles=(half,)) for _ in range(2))
    shared = replace(record, parties=(*record.parties[:2], *two))
    assert [(line.code, line.amount_fen) for line in await fees.fee_lines(street.house, shared)] == [
        ("registration", 8000),
        ("extra_certificate", 1000),
    ]
    together = replace(shared, parties=tuple(replace(p, roles=(replace(half, share=None),)) for p in two))
    assert [line.code for line in await fees.fee_lines(street.house, together)] == ["registration"]


@pytest.mark.parametrize(
    ("usage", "use"),
    [
        ("apartment", PropertyUse.RESIDENTIAL),
        ("parking", PropertyUse.PARKING),
        ("office", PropertyUse.OTHER),
        ("a word of some city", PropertyUse.OTHER),
    ],
)
def test_the_use_decides_the_rate(usage: str, use: PropertyUse) -> None:
    assert fees.property_use(usage) is use


async def test_payments_for_something_else_are_not_ours(street: Street) -> None:
    await fees.settled(street.house, PaymentSettled(new_id(), "certificate_postage", new_id()))
    with pytest.raises(Permanent):
        await fees.settled(street.house, PaymentSettled(new_id(), fees.PURPOSE, new_id()))


async def test_nobody_pays_for_what_was_refused(street: Street) -> None:
    case, buyer = await street.due()
    attempt = await Attempt.get(id=await street.pay(case, buyer.id))
    await street.refuse(case)
    for _ in range(2):
        await fees.call_off(street.house, Refused(case.id))
    order = await street.order(case)
    assert order.state is OrderState.CALLED_OFF
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    assert street.at.wallet.trades[attempt.out_trade_no].report.trade_state is TradeState.CLOSED
    assert (await queries.full(street.world.needs, application_id=case.id)).hold is None
    for payer in (buyer.id, case.sellers[0].resident_id):
        with pytest.raises(OrderCalledOff if payer == buyer.id else OrderNotFound):
            await street.pay(case, payer)


async def test_what_is_paid_while_it_is_refused_goes_back_by_itself(street: Street) -> None:
    case, buyer = await street.due()
    attempt = await Attempt.get(id=await street.pay(case, buyer.id))
    await street.refuse(case)
    street.at.wallet.pay(attempt.out_trade_no)
    await fees.call_off(street.house, Refused(case.id))
    await street.at.work(seconds=30)
    (refund,) = await orders.refunds(street.at.needs, order_id=attempt.order_id)
    assert (refund.cause, refund.amount_fen, refund.asked_by) == (RefundCause.NOT_DUE, 8000, None)
    street.at.wallet.finish_refund(refund.out_refund_no)
    await street.at.work(seconds=60)
    (known,) = await orders.discrepancies(street.at.needs, resolved=True)
    assert (known.fault, known.resolved_by) == (Fault.NOT_DUE, None)
    assert (await street.order(case)).state is OrderState.CALLED_OFF
    assert street.at.told == []


async def test_a_wallet_that_is_down_when_it_is_refused_is_closed_later(street: Street) -> None:
    case, buyer = await street.due()
    attempt = await Attempt.get(id=await street.pay(case, buyer.id))
    await street.refuse(case)
    down = OutsideError("wechat_pay", "TIMEOUT", "no answer in time", permanent=False)
    shaky = replace(street.at.needs, ordering={"wechat": failing(street.at.wallet, [down])})
    await payments.call_off(shaky, order_id=attempt.order_id)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.READY
    await street.at.work(seconds=30)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED


async def test_what_was_paid_before_it_was_refused_waits_for_finance(street: Street) -> None:
    case, buyer = await street.due()
    attempt = await Attempt.get(id=await street.pay(case, buyer.id))
    street.at.wallet.pay(attempt.out_trade_no)
    await street.at.work(seconds=30)
    await street.refuse(case)
    await fees.call_off(street.house, Refused(case.id))
    assert (await street.order(case)).state is OrderState.SETTLED
    assert await orders.refunds(street.at.needs, order_id=attempt.order_id) == []


async def test_what_falls_due_and_is_refused_at_once_is_not_charged(street: Street) -> None:
    case = await applications.accepted(street.world)
    await street.refuse(case)
    await fees.fall_due(street.house, FeeDue(case.id))
    assert await orders.order_of(street.at.needs, purpose=fees.PURPOSE, subject_id=case.id) is None


async def test_what_is_refused_while_it_is_charged_is_called_off(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await applications.accepted(street.world)
    lines = fees.fee_lines

    async def refused_meanwhile(house: House, record: ApplicationRecord) -> list[Line]:
        await street.refuse(case)
        await fees.call_off(street.house, Refused(case.id))
        return await lines(house, record)

    monkeypatch.setattr(fees, "fee_lines", refused_meanwhile)
    await fees.fall_due(street.house, FeeDue(case.id))
    assert (await street.order(case)).state is OrderState.CALLED_OFF
    assert (await queries.full(street.world.needs, application_id=case.id)).hold is None
