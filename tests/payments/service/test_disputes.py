"""Money that does not fit: given back by what the wallet holds, or settled by hand, each once and on record."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kit.db import fetch
from kit.errors import OutsideError
from kit.failing import failing
from kit.ids import new_id
from payments import queries, service
from payments.errors import (
    DiscrepancyNotFound,
    DiscrepancyResolved,
    DiscrepancyUnderWay,
    OrderNotPaid,
    PaymentNotHeld,
    RefundTooLarge,
    WalletNotOffered,
)
from payments.models import Attempt, Discrepancy, Order, Refund
from payments.refund_rules import QUESTIONS_END, RefundState
from payments.rules import AttemptState, Fault, OrderState, TradeState
from tests.factories.payments import OTHER_WALLET, Till, till
from tests.payments.service.test_refunding import about, open_faults, take

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("fake_wallet", "TIMEOUT", "no answer in time", permanent=False)
SHORT = OutsideError("fake_wallet", "NOT_ENOUGH", "the balance is short", permanent=True)


async def disputed(at: Till, **said: object) -> tuple[Order, Attempt]:
    """An order whose wallet says of its payment something else than was asked for; 1 fen unless told otherwise."""
    order = await at.order()
    attempt = await at.pay(order)
    report = replace(at.wallet.pay(attempt.out_trade_no), **(said or {"amount_fen": 1}))  # type: ignore[arg-type]
    at.wallet.says(attempt.out_trade_no, report)
    await at.work(seconds=30)
    found = await Attempt.get(id=attempt.id)
    assert found.state == AttemptState.DISPUTED
    return order, found


async def resolve(at: Till, discrepancy_id: str, note: str = "已与银行核对") -> str:
    return await service.resolve_discrepancy(
        at.needs, discrepancy_id=discrepancy_id, staff_id="f1", note=note, key=at.key()
    )


async def the_open_one(at: Till) -> queries.DiscrepancyView:
    (found,) = await queries.discrepancies(at.needs)
    return found


@pytest.mark.parametrize("held", [1, 7999, 8001, 16000])
async def test_what_the_wallet_holds_of_a_disputed_payment_goes_back_to_the_fen(held: int) -> None:
    at = till()
    at.wallet.instant = True
    order, attempt = await disputed(at, amount_fen=held)
    with pytest.raises(RefundTooLarge):
        await at.refund(order, held + 1, attempt_id=attempt.id)
    await at.refund(order, held, attempt_id=attempt.id)
    await at.work()
    (given,) = at.wallet.given_back.values()
    assert (given.asked.amount_fen, given.asked.total_fen) == (held, held)
    assert at.wallet.returned(attempt.out_trade_no) == held
    assert await open_faults(at) == []
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert (len(at.told), len(at.returned)) == (0, 1)


async def test_a_disputed_payment_goes_back_in_parts_while_the_wallet_calls_it_refunded() -> None:
    at = till()
    at.wallet.instant = True
    order, attempt = await disputed(at, amount_fen=9000)
    await at.refund(order, 4000, attempt_id=attempt.id)
    await at.work()
    assert await open_faults(at) == [Fault.AMOUNT_DIFFERS]
    report = at.wallet.trades[attempt.out_trade_no].report
    at.wallet.says(attempt.out_trade_no, replace(report, trade_state=TradeState.REFUNDED))
    with pytest.raises(RefundTooLarge):
        await at.refund(order, 5001, attempt_id=attempt.id)
    await at.refund(order, 5000, attempt_id=attempt.id)
    await at.work()
    assert at.wallet.returned(attempt.out_trade_no) == 9000
    assert await open_faults(at) == []


async def test_after_the_wrong_payment_went_back_the_order_can_be_paid() -> None:
    at = till()
    at.wallet.instant = True
    order, attempt = await disputed(at)
    await at.refund(order, 1, attempt_id=attempt.id)
    again = await at.pay(order, wallet=OTHER_WALLET)
    at.other.pay(again.out_trade_no)
    await at.work(seconds=60)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert [told.order_id for told in at.told] == [order.id]


@pytest.mark.parametrize(
    "now",
    [
        None,
        {"trade_state": TradeState.REFUNDED},
        {"trade_state": TradeState.CLOSED},
        {"trade_state": TradeState.UNPAID},
        {"amount_fen": None},
        {"amount_fen": 0},
        {"merchant_id": "1900000110"},
        {"currency": "USD"},
        {"out_trade_no": "another"},
    ],
)
async def test_what_the_wallet_does_not_hold_is_not_given_back(now: dict[str, object] | None) -> None:
    at = till()
    order, attempt = await disputed(at)
    if now is None:
        del at.wallet.trades[attempt.out_trade_no]
    else:
        report = at.wallet.trades[attempt.out_trade_no].report
        at.wallet.says(attempt.out_trade_no, replace(report, **now))  # type: ignore[arg-type]
    with pytest.raises(PaymentNotHeld):
        await at.refund(order, 1, attempt_id=attempt.id)
    assert await Refund.all().count() == 0


async def test_money_that_settled_another_order_is_not_given_back_under_a_disputed_number() -> None:
    at = till()
    paid_order, paid = await at.settled()
    transaction = at.wallet.trades[paid.out_trade_no].report.transaction_id
    order, attempt = await disputed(at, transaction_id=transaction)
    assert await open_faults(at) == [Fault.TRANSACTION_REUSED]
    with pytest.raises(PaymentNotHeld):
        await at.refund(order, 8000, attempt_id=attempt.id)
    assert (await Order.get(id=paid_order.id)).state == OrderState.SETTLED


async def test_a_disputed_payment_whose_wallet_is_down_or_gone_is_asked_for_later() -> None:
    at = till()
    order, attempt = await disputed(at)
    down = at.through(failing(at.wallet, [DOWN], methods={"query"}))
    with pytest.raises(OutsideError):
        await down.refund(order, 1, attempt_id=attempt.id)
    gone = replace(at, needs=replace(at.needs, ordering={}))
    with pytest.raises(WalletNotOffered):
        await gone.refund(order, 1, attempt_id=attempt.id)
    assert await Refund.all().count() == 0
    await at.refund(order, 1, attempt_id=attempt.id)


async def test_a_disputed_payment_must_be_named_and_be_the_orders() -> None:
    at = till()
    order, attempt = await disputed(at)
    other = await at.order()
    with pytest.raises(OrderNotPaid):
        await at.refund(order, 1)
    with pytest.raises(OrderNotPaid):
        await at.refund(other, 1, attempt_id=attempt.id)


async def test_a_dispute_that_is_given_back_is_settled_by_no_later_word() -> None:
    at = till()
    order, attempt = await disputed(at)
    await at.refund(order, 1, attempt_id=attempt.id)
    honest = replace(at.wallet.trades[attempt.out_trade_no].report, amount_fen=8000)
    await take(at, honest)
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert at.told == []
    assert sorted(await open_faults(at)) == sorted([Fault.AMOUNT_DIFFERS, Fault.REFUNDED])


async def test_a_dispute_that_was_not_given_back_is_settled_by_an_honest_word() -> None:
    at = till()
    order, attempt = await disputed(at)
    await take(at, replace(at.wallet.trades[attempt.out_trade_no].report, amount_fen=8000))
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED


async def test_notices_about_the_refund_of_a_dispute_are_held_against_what_the_wallet_has() -> None:
    at = till()
    order, attempt = await disputed(at)
    refund = await at.refund(order, 1, attempt_id=attempt.id)
    await at.work()
    await take(at, about(refund, attempt, total_fen=8000))
    assert sorted(await open_faults(at)) == sorted([Fault.AMOUNT_DIFFERS, Fault.REFUND_DIFFERS])
    at.wallet.finish_refund(refund.out_refund_no)
    await take(at, about(refund, attempt, total_fen=1))
    assert (await Refund.get(id=refund.id)).state == RefundState.SUCCEEDED
    assert await open_faults(at) == []
    # Alipay closes a trade that went back in full, and says so.
    closed = replace(at.wallet.trades[attempt.out_trade_no].report, trade_state=TradeState.REFUNDED)
    await take(at, closed)
    assert await open_faults(at) == []


async def test_an_order_that_is_paid_stays_so_when_a_foreign_transaction_is_told_of_it() -> None:
    at = till()
    _, first = await at.settled()
    order, second = await at.settled()
    foreign = at.wallet.trades[first.out_trade_no].report.transaction_id
    report = at.wallet.trades[second.out_trade_no].report
    await take(at, replace(report, transaction_id=foreign))
    assert (await Attempt.get(id=second.id)).state == AttemptState.PAID
    assert await open_faults(at) == [Fault.TRANSACTION_REUSED]
    await at.refund(order, 8000)


async def test_a_discrepancy_is_settled_by_hand_once_with_a_trace() -> None:
    at = till()
    await disputed(at, merchant_id="1900000110")
    found = await the_open_one(at)
    await resolve(at, found.id)
    assert await queries.discrepancies(at.needs) == []
    (kept,) = await queries.discrepancies(at.needs, resolved=True)
    assert (kept.id, kept.resolved_by, kept.note) == (found.id, "f1", "已与银行核对")
    assert kept.resolved_at == at.clock.now()
    assert "银行" not in (await Discrepancy.get(id=found.id)).note_sealed
    with pytest.raises(DiscrepancyResolved):
        await resolve(at, found.id)
    with pytest.raises(DiscrepancyNotFound):
        await resolve(at, new_id())
    traces = await fetch("SELECT actor_id, subject_id FROM kit_audit WHERE action = 'payments.discrepancy_resolved'")
    assert traces == [{"actor_id": "f1", "subject_id": found.id}]


async def test_what_a_refund_will_settle_is_not_settled_by_hand() -> None:
    at = till()
    order, _ = await at.settled()
    short = at.through(at.wallet, refunds=failing(at.wallet, [SHORT] * 200, methods={"refund"}))
    await short.refund(order, 100)
    await short.work()
    found = await the_open_one(at)
    assert found.fault == Fault.REFUND_REFUSED
    with pytest.raises(DiscrepancyUnderWay):
        await resolve(at, found.id)
    at.clock.advance(seconds=QUESTIONS_END / timedelta(seconds=1) + 1)
    await resolve(at, found.id, "已通过银行转账退还")
    assert await queries.discrepancies(at.needs) == []
