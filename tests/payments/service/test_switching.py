"""One order, two wallets, and never two of them that can take the money."""

import asyncio
from dataclasses import replace

import pytest

from kit.errors import OutsideError
from kit.failing import failing
from payments import service
from payments.errors import AttemptExpired, EarlierWalletDown, OrderSettled, PaymentElsewhere
from payments.models import Attempt, Order
from payments.ports import ClientParams, NewOrder
from payments.providers.fake import FakeWallet
from payments.rules import AttemptState, OrderState, TradeState
from tests.factories.payments import OPENID, OTHER_WALLET, WALLET, Till, till

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("fake_wallet", "TIMEOUT", "no answer in time", permanent=False)
REFUSED = OutsideError("fake_wallet", "PARAM_ERROR", "the order is not taken", permanent=True)


def payable(at: Till) -> list[str]:
    """The numbers under which the two wallets would take money now."""
    trades = [*at.wallet.trades.values(), *at.other.trades.values()]
    return [each.order.out_trade_no for each in trades if each.report.trade_state is TradeState.UNPAID]


async def test_choosing_another_wallet_closes_the_first() -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    second = await at.pay(order, wallet=OTHER_WALLET)
    assert payable(at) == [second.out_trade_no]
    assert (await Attempt.get(id=first.id)).state == AttemptState.CLOSED

    third = await at.pay(order)
    assert third.id != first.id
    assert payable(at) == [third.out_trade_no]
    at.wallet.pay(third.out_trade_no)
    await at.work(seconds=600)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert len(at.told) == 1


async def test_what_was_paid_at_the_first_settles_instead() -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    at.wallet.pay(first.out_trade_no)
    with pytest.raises(OrderSettled):
        await at.pay(order, wallet=OTHER_WALLET)
    await at.work()
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert (len(at.told), at.other.trades) == (1, {})


async def test_two_taps_while_the_wallet_is_being_asked_are_one_number() -> None:
    at = till()
    order = await at.order()

    class Slow(FakeWallet):
        async def prepare(self, asked: NewOrder) -> ClientParams:
            if not at.wallet.trades:
                await at.pay(order)
            return await at.wallet.prepare(asked)

    first = await at.through(Slow(at.clock)).pay(order)
    assert payable(at) == [first.out_trade_no]
    assert await Attempt.all().count() == 1


@pytest.mark.parametrize(("openid", "minutes"), [(OPENID, 51), (OPENID, 59), ("oAnotherPhone", 1)])
async def test_at_the_same_wallet_too_what_is_open_is_closed_before_another_is_opened(
    openid: str, minutes: int
) -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    at.clock.advance(seconds=minutes * 60)
    with pytest.raises(EarlierWalletDown) as refused:
        await at.through(failing(at.wallet, [DOWN], methods={"close"})).pay(order, openid=openid)
    assert "先前发起的支付" in refused.value.detail
    assert payable(at) == [first.out_trade_no]
    second = await at.pay(order, openid=openid)
    assert payable(at) == [second.out_trade_no]
    assert (await Attempt.get(id=first.id)).state == AttemptState.CLOSED


async def test_a_late_repetition_of_what_was_closed_closes_nothing_else() -> None:
    at = till()
    order = await at.order()
    await at.pay(order, key=at.key("first-key"))
    again = replace(at.key("first-key"), id=(await Attempt.get(order_id=order.id)).out_trade_no)
    second = await at.pay(order, wallet=OTHER_WALLET)
    with pytest.raises(AttemptExpired):
        await service.pay(
            at.needs,
            order_id=order.id,
            payer_id=order.payer_id,
            payer_address=OPENID,
            wallet=WALLET,
            description="不动产登记费",
            key=again,
        )
    assert payable(at) == [second.out_trade_no]


async def test_a_number_that_the_wallet_refuses_for_good_is_given_up() -> None:
    at = till()
    order = await at.order()
    refusing = at.through(failing(at.wallet, [REFUSED], methods={"prepare"}))
    with pytest.raises(OutsideError):
        await refusing.pay(order)
    second = await at.pay(order)
    assert payable(at) == [second.out_trade_no]
    states = await Attempt.all().order_by("id").values_list("state", flat=True)
    assert states == [AttemptState.CLOSED, AttemptState.READY]


async def test_while_refused_and_down_the_number_is_kept() -> None:
    at = till()
    order = await at.order()
    refusing = at.through(failing(at.wallet, [REFUSED, DOWN], methods={"prepare", "query"}))
    with pytest.raises(OutsideError) as refused:
        await refusing.pay(order)
    assert refused.value is REFUSED
    assert (await Attempt.get(order_id=order.id)).state == AttemptState.PREPARING


@pytest.mark.parametrize("method", ["query", "close"])
@pytest.mark.parametrize("after", [False, True])
async def test_while_the_first_is_down_the_second_is_not_opened(method: str, *, after: bool) -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    shaky = at.through(failing(at.wallet, [DOWN], methods={method}, after=after))
    with pytest.raises(EarlierWalletDown):
        await shaky.pay(order, wallet=OTHER_WALLET, key=at.key("same-key"))
    assert at.other.trades == {}
    assert (await Attempt.get(id=first.id)).state == AttemptState.READY
    second = await shaky.pay(order, wallet=OTHER_WALLET, key=at.key("same-key"))
    assert payable(at) == [second.out_trade_no]


async def test_what_can_neither_be_closed_nor_is_paid_has_to_end_first() -> None:
    at = till()
    order = await at.order()
    await at.pay(order)

    class Stubborn(FakeWallet):
        async def query(self, number: str) -> object:  # type: ignore[override]
            return await at.wallet.query(number)

        async def close(self, number: str) -> bool:
            return number == ""

    with pytest.raises(PaymentElsewhere):
        await at.through(Stubborn(at.clock)).pay(order, wallet=OTHER_WALLET)
    assert at.other.trades == {}


async def test_paid_in_the_moment_of_closing_is_found_out() -> None:
    at = till()
    order = await at.order()
    await at.pay(order)

    class Late(FakeWallet):
        async def query(self, number: str) -> object:  # type: ignore[override]
            return await at.wallet.query(number)

        async def close(self, number: str) -> bool:
            at.wallet.pay(number)
            return await at.wallet.close(number)

    with pytest.raises(OrderSettled):
        await at.through(Late(at.clock)).pay(order, wallet=OTHER_WALLET)
    assert at.other.trades == {}


async def test_the_first_whose_wallet_is_not_configured_any_more_blocks() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    await Attempt.filter(id=attempt.id).update(wallet="gone")
    with pytest.raises(EarlierWalletDown):
        await at.pay(order, wallet=OTHER_WALLET)


async def test_a_first_that_was_being_placed_is_closed_and_never_handed_out() -> None:
    at = till()
    order = await at.order()

    class Slow(FakeWallet):
        async def prepare(self, asked: object) -> dict[str, str]:  # type: ignore[override]
            await at.pay(order, wallet=OTHER_WALLET)
            return await at.wallet.prepare(asked)  # type: ignore[arg-type]

        async def close(self, number: str) -> bool:
            return await at.wallet.close(number)

    with pytest.raises(AttemptExpired):
        await at.through(Slow(at.clock)).pay(order)
    (other,) = payable(at)
    assert other in at.other.trades
    first = await Attempt.get(wallet=WALLET)
    assert (first.state, first.client_params) == (AttemptState.CLOSED, None)


async def test_taps_at_both_wallets_at_once_leave_one_payable() -> None:
    at = till()
    order = await at.order()
    await asyncio.gather(
        *(at.pay(order, wallet=wallet) for wallet in (WALLET, OTHER_WALLET) * 3), return_exceptions=True
    )
    open_ones = [each for each in await Attempt.filter(order_id=order.id) if not AttemptState(each.state).final]
    handed_out = {each.out_trade_no for each in open_ones if each.state == AttemptState.READY}
    assert len({each.wallet for each in open_ones}) <= 1
    assert set(payable(at)) <= {each.out_trade_no for each in open_ones}
    assert handed_out == set(payable(at))
