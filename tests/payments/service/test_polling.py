from dataclasses import replace

import pytest

from kit.db import fetch
from kit.errors import OutsideError
from kit.failing import failing
from kit.outbox.queries import parked
from payments import queries, service
from payments.models import Attempt, Order
from payments.providers.fake import FakeWallet
from payments.rules import AttemptState, Fault, OrderState, TradeState
from tests.factories.payments import till
from tests.payments.service.test_refunding import take

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("fake_wallet", "TIMEOUT", "no answer in time", permanent=False)
REFUSED = OutsideError("fake_wallet", "NO_AUTH", "the right is not ours", permanent=True)


async def pending_polls() -> int:
    return len(await fetch("SELECT id FROM kit_outbox WHERE handler = 'payments.poll'"))


async def test_a_payment_whose_notice_never_came_is_found_by_asking() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    at.wallet.pay(attempt.out_trade_no)
    await at.work(seconds=29)
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    await at.work(seconds=1)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert len(at.told) == 1
    assert await pending_polls() == 0


async def test_while_nobody_pays_it_is_asked_ever_slower_and_closed_at_its_end() -> None:
    at = till()
    attempt = await at.pay(await at.order())
    await at.work(seconds=30)
    assert await pending_polls() == 1
    await at.work(seconds=59)
    assert (await Attempt.get(id=attempt.id)).polls == 1
    await at.work(seconds=1)
    assert (await Attempt.get(id=attempt.id)).polls == 2
    for _ in range(12):
        await at.work(seconds=600)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    assert at.wallet.trades[attempt.out_trade_no].report.trade_state is TradeState.CLOSED
    assert await pending_polls() == 0


async def test_a_wallet_that_is_down_is_asked_again_without_troubling_staff() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    at.wallet.pay(attempt.out_trade_no)
    shaky = at.through(failing(at.wallet, [DOWN]))
    await shaky.work(seconds=30)
    assert await parked() == []
    await shaky.work(seconds=60)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED


async def test_a_question_refused_for_good_waits_for_staff() -> None:
    at = till()
    await at.pay(await at.order())
    await at.through(failing(at.wallet, [REFUSED])).work(seconds=30)
    assert [row.handler for row in await parked()] == ["payments.poll"]


async def test_a_wallet_that_is_gone_waits_for_staff() -> None:
    at = till()
    await at.pay(await at.order())
    gone = at.through(at.wallet)
    gone.drain.house.payments = replace(at.needs, ordering={})
    await gone.work(seconds=30)
    assert [row.handler for row in await parked()] == ["payments.poll"]


async def test_a_question_handled_twice_after_a_crash_asks_on_once() -> None:
    at = till()
    attempt = await at.pay(await at.order())
    at.clock.advance(seconds=30)
    await service.poll(at.needs, attempt_id=attempt.id)
    await service.poll(at.needs, attempt_id=attempt.id)
    assert (await Attempt.get(id=attempt.id)).polls == 1


async def test_an_answer_that_does_not_fit_ends_the_questions_and_is_kept() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    at.wallet.says(attempt.out_trade_no, replace(at.wallet.pay(attempt.out_trade_no), amount_fen=1))
    await at.work(seconds=30)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.DISPUTED
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert [kept.fault for kept in await queries.discrepancies(at.needs)] == [Fault.AMOUNT_DIFFERS]
    assert await pending_polls() == 0


async def test_a_trade_closed_at_the_wallet_is_closed_here() -> None:
    at = till()
    attempt = await at.pay(await at.order())
    await at.wallet.close(attempt.out_trade_no)
    await at.work(seconds=30)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED


async def test_the_other_numbers_of_a_paid_order_are_closed() -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    second = await at.pay(order, openid="oAnotherPhone")
    # It was confirmed before the second closed it.
    await take(at, at.wallet.pay(first.out_trade_no))
    await at.work(seconds=30)
    await at.work(seconds=60)
    assert (await Attempt.get(id=second.id)).state == AttemptState.CLOSED
    assert at.wallet.trades[second.out_trade_no].report.trade_state is TradeState.CLOSED


async def test_a_payment_in_the_moment_of_closing_is_not_lost() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)

    class Late(type(at.wallet)):  # type: ignore[misc]
        async def query(self, number: str) -> object:
            return await at.wallet.query(number)

        async def close(self, number: str) -> bool:
            if at.wallet.trades[number].report.trade_state is TradeState.UNPAID:
                at.wallet.pay(number)
            return await at.wallet.close(number)

    late = at.through(Late(at.clock))
    await late.work(seconds=3600)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.READY
    await late.work(seconds=600)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED


async def test_a_question_that_failed_while_a_notice_settled_is_not_asked_again() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)

    class Raced(type(at.wallet)):  # type: ignore[misc]
        async def query(self, number: str) -> object:
            await Attempt.filter(out_trade_no=number).update(state=AttemptState.PAID)
            raise DOWN

    await at.through(Raced(at.clock)).work(seconds=30)
    assert await pending_polls() == 0
    assert (await Attempt.get(id=attempt.id)).polls == 0


async def test_another_merchants_silence_closes_nothing() -> None:
    """The settings name another merchant since: it never heard of the number, under which somebody has paid."""
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    at.wallet.pay(attempt.out_trade_no)
    moved = at.through(FakeWallet(at.clock, merchant_id="1900000999"))
    for _ in range(3):
        await moved.work(seconds=3600)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.DISPUTED
    (known,) = await queries.discrepancies(at.needs)
    assert (known.fault, known.out_trade_no, known.expected_fen) == (Fault.MERCHANT_CHANGED, attempt.out_trade_no, 8000)
    assert await pending_polls() == 0
    assert (await moved.pay(order)).merchant_id == "1900000999"


async def test_nor_does_it_when_the_payer_begins_anew() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    moved = at.through(FakeWallet(at.clock, merchant_id="1900000999"))
    again = await moved.pay(order)
    assert (again.id != attempt.id, again.merchant_id) == (True, "1900000999")
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.DISPUTED
    assert [each.fault for each in await queries.discrepancies(at.needs)] == [Fault.MERCHANT_CHANGED]
