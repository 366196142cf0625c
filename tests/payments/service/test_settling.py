import asyncio
from dataclasses import replace
from typing import cast

import orjson
import pytest
from tortoise.exceptions import IntegrityError

from kit.ids import new_id
from kit.inbox import Inbox
from kit.outbox.queries import parked
from kit.wallets.wechat.pay.callback import PayNotices
from payments import queries, service
from payments.events import NoticeArrived
from payments.models import Attempt, Discrepancy, Order, Settlement
from payments.providers.wechat_pay import WechatPayNotices
from payments.rules import AttemptState, Fault, OrderState, Report, TradeState
from payments.service.settling import despite_rivals, sealed_notice
from tests.factories.payments import PURPOSE, WALLET, Till, till

pytestmark = pytest.mark.usefixtures("db")


async def arrive(at: Till, report: Report, *, notice_id: str = "", body: bytes | None = None) -> bool:
    """What the callback does with a genuine notice."""
    headers, raw = at.wallet.notice(report, notice_id=notice_id or new_id())
    notice = at.wallet.open(headers, raw)
    return await Inbox(at.needs.outbox, at.needs.cipher, at.clock).receive(
        system="wechat_pay",
        external_id=notice.id,
        body=sealed_notice(WALLET, body if body is not None else notice.body),
        announce=lambda inbox_id: NoticeArrived(inbox_id, notice.out_trade_no),
    )


async def paid(at: Till) -> tuple[Order, Attempt, Report]:
    order = await at.order()
    attempt = await at.pay(order)
    return order, attempt, at.wallet.pay(attempt.out_trade_no)


async def settled_once(at: Till, order: Order) -> None:
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert await Settlement.filter(order_id=order.id).count() == 1
    assert [event.order_id for event in at.told] == [order.id]


async def test_a_notice_settles_its_order() -> None:
    at = till()
    order, attempt, report = await paid(at)
    await arrive(at, report)
    await at.work()

    await settled_once(at, order)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.PAID
    seen = await queries.order_of(at.needs, purpose=PURPOSE, subject_id=order.subject_id)
    assert seen is not None
    assert (seen.transaction_id, seen.paid_at, seen.wallet) == (report.transaction_id, report.paid_at, WALLET)


async def test_a_notice_delivered_twice_settles_once() -> None:
    at = till()
    order, _, report = await paid(at)
    assert await arrive(at, report, notice_id="notice-1")
    assert not await arrive(at, report, notice_id="notice-1")
    assert await arrive(at, report, notice_id="notice-2")
    await at.work()

    await settled_once(at, order)
    assert await Discrepancy.all().count() == 0


async def test_a_notice_delivered_many_times_at_once_settles_once() -> None:
    at = till()
    order, attempt, report = await paid(at)
    kept = await asyncio.gather(*(arrive(at, report, notice_id="notice-1") for _ in range(8)))
    assert kept.count(True) == 1
    inbox_ids: list[str] = []
    for number in range(6):
        headers, raw = at.wallet.notice(report, notice_id=f"other-{number}")
        opened = at.wallet.open(headers, raw)

        def remember(inbox_id: str) -> NoticeArrived:
            inbox_ids.append(inbox_id)
            return NoticeArrived(inbox_id, attempt.out_trade_no)

        await Inbox(at.needs.outbox, at.needs.cipher, at.clock).receive(
            system="wechat_pay",
            external_id=opened.id,
            body=sealed_notice(WALLET, opened.body),
            announce=remember,
        )
    at.clock.advance(seconds=30)
    await asyncio.gather(
        *(service.settle_notice(at.needs, inbox_id=inbox_id) for inbox_id in inbox_ids),
        service.poll(at.needs, attempt_id=attempt.id),
    )
    await at.work()
    await settled_once(at, order)
    assert await Discrepancy.all().count() == 0


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"amount_fen": 1}, Fault.AMOUNT_DIFFERS),
        ({"merchant_id": "1900000999"}, Fault.MERCHANT_DIFFERS),
        ({"app_id": "wxanother"}, Fault.APP_DIFFERS),
        ({"currency": "USD"}, Fault.CURRENCY_DIFFERS),
        ({"transaction_id": ""}, Fault.TRANSACTION_MISSING),
        ({"trade_state": TradeState.OTHER}, Fault.NOT_PAID),
        ({"trade_state": TradeState.CLOSED}, Fault.NOT_PAID),
        ({"trade_state": TradeState.REFUNDED}, Fault.REFUNDED),
    ],
)
async def test_a_word_that_does_not_fit_is_kept_and_settles_nothing(change: dict[str, object], fault: Fault) -> None:
    at = till()
    order = await at.order()
    attempt = await at.pay(order)
    true = at.wallet.pay(attempt.out_trade_no)
    await arrive(at, replace(true, **change))  # type: ignore[arg-type]
    await at.work()

    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert at.told == []
    (kept,) = await queries.discrepancies(at.needs)
    assert (kept.fault, kept.order_id, kept.attempt_id, kept.expected_fen) == (fault, order.id, attempt.id, 8000)

    # The truth, asked of the wallet itself, settles it all the same.
    await at.work(seconds=30)
    await settled_once(at, order)


async def test_a_notice_that_it_waits_to_be_paid_is_no_news() -> None:
    at = till()
    order, _, report = await paid(at)
    await arrive(at, replace(report, trade_state=TradeState.UNPAID))
    await at.work()
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert await queries.discrepancies(at.needs) == []


async def test_an_honest_notice_after_a_wrong_one_settles() -> None:
    at = till()
    order, _, report = await paid(at)
    await arrive(at, replace(report, amount_fen=1))
    await arrive(at, report)
    await at.work()
    await settled_once(at, order)


async def test_a_wrong_word_heard_twice_is_one_row() -> None:
    at = till()
    _, _, report = await paid(at)
    await arrive(at, replace(report, amount_fen=1))
    await arrive(at, replace(report, amount_fen=1))
    await at.work()
    assert await Discrepancy.all().count() == 1


async def test_a_notice_about_nothing_of_ours_is_kept() -> None:
    at = till()
    _, _, report = await paid(at)
    await arrive(at, replace(report, out_trade_no="0" * 32, transaction_id="stray"))
    await at.work()
    (kept,) = await queries.discrepancies(at.needs)
    assert (kept.fault, kept.order_id, kept.reported_fen) == (Fault.UNKNOWN_NUMBER, None, 8000)
    assert await queries.discrepancies(at.needs, after=kept.id) == []


async def test_a_notice_that_cannot_be_read_is_kept() -> None:
    at = till()
    _, _, report = await paid(at)
    await arrive(at, report, body=b'{"odd": true}')
    await at.work()
    (kept,) = await queries.discrepancies(at.needs)
    assert (kept.fault, kept.out_trade_no) == (Fault.UNREADABLE, "")


async def test_a_notice_of_a_wallet_that_is_gone_waits_for_staff() -> None:
    at = till()
    order, _, report = await paid(at)
    await arrive(at, report)
    gone = at.through(at.wallet)
    gone.drain.house.payments = replace(at.needs, notices={})
    await gone.work()
    assert (await Order.get(id=order.id)).state == OrderState.OPEN
    assert [row.handler for row in await parked()] == ["payments.settle_notice"]


async def test_the_second_payment_of_an_order_awaits_its_refund() -> None:
    at = till()
    order = await at.order()
    first = await at.pay(order)
    second = await at.pay(order, openid="oAnotherPhone")
    assert first.id != second.id
    await arrive(at, at.wallet.pay(second.out_trade_no))
    await at.work()
    await arrive(at, at.wallet.pay(first.out_trade_no))
    await at.work()

    await settled_once(at, order)
    (kept,) = await queries.discrepancies(at.needs)
    assert (kept.fault, kept.attempt_id) == (Fault.PAID_TWICE, first.id)
    assert {state async for state in _states(order)} == {AttemptState.PAID}


async def _states(order: Order):  # noqa: ANN202 - a generator of states
    for attempt in await Attempt.filter(order_id=order.id):
        yield attempt.state


async def test_two_payments_of_an_order_told_at_once_settle_it_once() -> None:
    at = till()
    order = await at.order()
    attempts = [await at.pay(order, openid=f"oPhone{number}") for number in range(4)]
    for attempt in attempts:
        await arrive(at, at.wallet.pay(attempt.out_trade_no))
    await at.work()

    await settled_once(at, order)
    kept = await queries.discrepancies(at.needs)
    assert [each.fault for each in kept] == [Fault.PAID_TWICE] * 3


async def test_one_transaction_pays_for_one_order_only() -> None:
    at = till()
    _, _, report = await paid(at)
    await arrive(at, report)
    await at.work()
    other, _, false = await paid(at)
    await arrive(at, replace(false, transaction_id=report.transaction_id))
    await at.work()
    assert (await Order.get(id=other.id)).state == OrderState.OPEN
    (kept,) = await queries.discrepancies(at.needs)
    assert kept.fault == Fault.TRANSACTION_REUSED


async def test_a_rival_who_was_faster_is_seen_at_the_second_look() -> None:
    looks: list[int] = []

    async def command() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise IntegrityError("a unique key")

    await despite_rivals(command)
    assert len(looks) == 2


@pytest.mark.parametrize("total", [10**15 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 80.0, "8000", True, None])
async def test_a_number_that_no_row_could_hold_is_kept_and_stops_nothing(total: object) -> None:
    """As a genuine notice of WeChat Pay would bring it."""
    at = till()
    order, attempt, report = await paid(at)
    resource = {
        "out_trade_no": attempt.out_trade_no,
        "trade_state": "SUCCESS",
        "mchid": attempt.merchant_id,
        "appid": attempt.app_id,
        "transaction_id": "t1",
        "amount": {"total": total, "currency": "CNY"},
    }
    reader = WechatPayNotices(cast("PayNotices", None))
    said = reader.read(orjson.dumps(resource))
    assert isinstance(said, Report)
    await arrive(at, said)
    await arrive(at, report)
    await at.work()
    await settled_once(at, order)
    assert await parked() == []
    (kept,) = await queries.discrepancies(at.needs)
    assert (kept.fault, kept.reported_fen) == (Fault.AMOUNT_DIFFERS, None)
