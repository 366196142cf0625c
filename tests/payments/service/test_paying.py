from dataclasses import replace
from datetime import timedelta

import pytest

from kit.errors import OutsideError
from kit.failing import failing
from kit.idempotency.service import CLAIM_LASTS
from kit.ids import new_id
from payments import queries, service
from payments.errors import AttemptExpired, OrderNotFound, OrderSettled, WalletNotOffered
from payments.models import Attempt
from payments.rules import AttemptState
from tests.factories.payments import OPENID, WALLET, till

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("fake_wallet", "TIMEOUT", "no answer in time", permanent=False)


class Killed(BaseException):
    """The process died here: nothing after this line ran, not even an `except Exception`."""


async def test_the_wallet_is_asked_under_the_requests_own_id() -> None:
    at = till()
    order = await at.order()
    key = at.key()
    attempt = await at.pay(order, key=key)

    assert attempt.out_trade_no == key.id
    assert attempt.state == AttemptState.READY
    assert at.wallet.trades[key.id].order.amount_fen == 8000
    assert at.wallet.trades[key.id].order.payer_address == OPENID
    assert OPENID not in attempt.payer_address_sealed
    seen = await queries.attempt(at.needs, attempt_id=attempt.id, payer_id=order.payer_id)
    assert seen is not None
    assert seen.client_params == {"appId": at.wallet.account.app_id, "package": f"prepay_id=fake{key.id}"}
    assert await queries.attempt(at.needs, attempt_id=attempt.id, payer_id=new_id()) is None


async def test_a_request_repeated_answers_the_same_attempt_without_the_wallet() -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order, key=at.key("same-key"))
    again = await at.pay(order, key=at.key("same-key"))

    assert again.id == first.id
    assert at.wallet.prepared == 1


@pytest.mark.parametrize("after", [False, True], ids=["before the wallet acted", "after the wallet acted"])
async def test_a_retry_after_a_crash_carries_the_same_number(*, after: bool) -> None:
    at = till()
    order = await at.order()
    dying = at.through(failing(at.wallet, [Killed()], after=after))
    with pytest.raises(Killed):
        await dying.pay(order, key=at.key("same-key"))
    left = await Attempt.get(order_id=order.id)
    assert left.state == AttemptState.PREPARING

    at.clock.advance(seconds=CLAIM_LASTS.total_seconds() + 1)
    done = await at.pay(order, key=at.key("same-key"))
    assert (done.id, done.out_trade_no, done.state) == (left.id, left.out_trade_no, AttemptState.READY)
    assert list(at.wallet.trades) == [left.out_trade_no]


async def test_a_crash_before_the_attempt_was_written_leaves_nothing_at_the_wallet() -> None:
    at = till()
    order = await at.order()
    with pytest.raises(OrderNotFound):
        await at.pay(await _another_payers(order), key=at.key("same-key"))
    assert at.wallet.trades == {}
    assert (await at.pay(order, key=at.key("same-key"))).state == AttemptState.READY


async def _another_payers(order: object) -> object:
    copy = await type(order).get(id=order.id)  # type: ignore[attr-defined]
    copy.payer_id = new_id()
    return copy


async def test_a_wallet_that_is_down_may_be_asked_again_at_once() -> None:
    at = till()
    order = await at.order()
    shaky = at.through(failing(at.wallet, [DOWN]))
    with pytest.raises(OutsideError):
        await shaky.pay(order, key=at.key("same-key"))
    assert (await shaky.pay(order, key=at.key("same-key"))).state == AttemptState.READY
    assert await Attempt.all().count() == 1


async def test_a_second_tap_is_given_the_same_payable_number() -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    at.clock.advance(seconds=60)
    assert (await at.pay(order)).id == first.id
    assert (await at.pay(order, openid="oAnother")).id != first.id
    at.clock.advance(seconds=51 * 60)
    assert (await at.pay(order)).id != first.id


async def test_what_is_paid_is_not_paid_again() -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order, key=at.key("same-key"))
    at.wallet.pay(attempt.out_trade_no)
    await at.work(seconds=30)
    with pytest.raises(OrderSettled):
        await at.pay(order)
    assert (await at.pay(order, key=at.key("same-key"))).state == AttemptState.PAID


async def test_a_notice_faster_than_our_own_answer_is_not_undone() -> None:
    at = till()
    order = await at.order()

    class Fast(type(at.wallet)):  # type: ignore[misc]
        async def prepare(self, asked: object) -> dict[str, str]:
            params = await at.wallet.prepare(asked)  # type: ignore[arg-type]
            at.wallet.pay(asked.out_trade_no)  # type: ignore[attr-defined]
            await at.work(seconds=30)
            return params

    attempt = await at.through(Fast(at.clock)).pay(order)
    assert attempt.state == AttemptState.PAID
    assert len(at.told) == 1


async def test_an_attempt_that_ran_out_is_begun_anew() -> None:
    at = till()
    order = await at.order()
    dying = at.through(failing(at.wallet, [Killed()]))
    with pytest.raises(Killed):
        await dying.pay(order, key=at.key("same-key"))
    at.clock.advance(seconds=59 * 60)
    with pytest.raises(AttemptExpired):
        await at.pay(order, key=at.key("same-key"))
    await at.work(seconds=120)
    assert (await Attempt.get(order_id=order.id)).state == AttemptState.CLOSED
    assert (await at.pay(order, key=at.key("same-key"))).state == AttemptState.READY


async def test_a_closed_number_is_not_used_again() -> None:
    at = till()
    order = await at.order()
    key = replace(at.key(), claimed=True)
    attempt = await at.pay(order)
    await Attempt.filter(id=attempt.id).update(out_trade_no=key.id, state=AttemptState.CLOSED)
    with pytest.raises(AttemptExpired):
        await service.pay(
            at.needs,
            order_id=order.id,
            payer_id=order.payer_id,
            payer_address=OPENID,
            wallet=WALLET,
            description="不动产登记费",
            key=key,
        )


async def test_a_wallet_that_is_not_offered_is_refused() -> None:
    at = till()
    order = await at.order()
    with pytest.raises(WalletNotOffered):
        await service.pay(
            at.needs,
            order_id=order.id,
            payer_id=order.payer_id,
            payer_address=OPENID,
            wallet="unionpay",
            description="不动产登记费",
            key=at.key(),
        )


async def test_the_end_is_whole_seconds_and_the_same_in_a_repetition() -> None:
    at = till()
    at.clock.advance(seconds=0.123456)
    order = await at.order()
    attempt = await at.pay(order)
    given = at.wallet.trades[attempt.out_trade_no].order.expires_at
    assert given.microsecond == 0
    assert timedelta(minutes=59) < given - at.clock.now() < timedelta(hours=1)
