import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.db import fetch
from kit.errors import OutsideError
from kit.failing import failing
from kit.ids import new_id
from kit.inbox import Inbox
from kit.outbox.queries import parked
from payments import queries, service
from payments.errors import OrderNotFound, OrderNotPaid, RefundTooLarge, RefundTooLate, WalletNotOffered
from payments.events import NoticeArrived
from payments.models import Attempt, Discrepancy, Order, Refund
from payments.refund_rules import RefundNotice, RefundState
from payments.rules import AttemptState, Fault, OrderState, Report
from payments.service.settling import sealed_notice
from tests.factories.payments import WALLET, Till, till

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("fake_wallet", "TIMEOUT", "no answer in time", permanent=False)
SHORT = OutsideError("fake_wallet", "NOT_ENOUGH", "the balance is short", permanent=True)


class Killed(BaseException):
    """The process died here."""


async def take(at: Till, said: Report | RefundNotice) -> None:
    """What the callback and then the worker do with a genuine notice."""
    if isinstance(said, RefundNotice):
        headers, raw = at.wallet.refund_notice(said, notice_id=new_id())
    else:
        headers, raw = at.wallet.notice(said, notice_id=new_id())
    notice = at.wallet.open(headers, raw)
    await Inbox(at.needs.outbox, at.needs.cipher, at.clock).receive(
        system="wechat_pay",
        external_id=notice.id,
        body=sealed_notice(WALLET, notice.body),
        announce=lambda inbox_id: NoticeArrived(inbox_id, notice.out_trade_no),
    )
    await at.work()


async def paid_twice(at: Till) -> tuple[Order, Attempt]:
    """An order paid under two numbers; the second attempt."""
    order = await at.order()
    first, second = await at.pay(order), await at.pay(order, openid="oAnotherPhone")
    for attempt in (first, second):
        await take(at, at.wallet.pay(attempt.out_trade_no))
    return order, second


async def the_refund() -> Refund:
    (refund,) = await Refund.all()
    return refund


async def open_faults(at: Till) -> list[str]:
    return [kept.fault for kept in await queries.discrepancies(at.needs)]


def about(refund: Refund, attempt: Attempt, **changes: object) -> RefundNotice:
    true = RefundNotice(
        out_trade_no=attempt.out_trade_no,
        out_refund_no=refund.out_refund_no,
        merchant_id=attempt.merchant_id,
        app_id="",
        amount_fen=refund.amount_fen,
        total_fen=attempt.amount_fen,
    )
    return replace(true, **changes)  # type: ignore[arg-type]


async def test_a_second_payment_goes_back_by_itself_and_its_discrepancy_is_resolved() -> None:
    at = till()
    order, second = await paid_twice(at)
    refund = await the_refund()
    assert (refund.attempt_id, refund.amount_fen, refund.state) == (second.id, 8000, RefundState.PROCESSING)
    assert await open_faults(at) == [Fault.PAID_TWICE]

    at.wallet.finish_refund(refund.out_refund_no)
    await at.work(seconds=10)
    assert (await the_refund()).state == RefundState.SUCCEEDED
    assert await open_faults(at) == []
    assert [(told.refund_id, told.order_id, told.subject_id) for told in at.returned] == [
        (refund.id, order.id, order.subject_id)
    ]
    seen = await queries.order_of(at.needs, purpose=order.purpose, subject_id=order.subject_id)
    assert seen is not None
    assert (seen.state, seen.refunded_fen) == (OrderState.SETTLED, 0)


async def test_a_second_payment_heard_of_again_goes_back_once() -> None:
    at = till()
    _, second = await paid_twice(at)
    again = at.wallet.trades[second.out_trade_no].report
    for _ in range(3):
        await take(at, again)
    await the_refund()
    assert at.wallet.returned(second.out_trade_no) == 8000


async def test_the_payment_that_settled_is_never_given_back_for_another_transaction_id() -> None:
    at = till()
    _, attempt = await at.settled()
    await take(at, replace(at.wallet.trades[attempt.out_trade_no].report, transaction_id="another"))
    assert await Refund.all().count() == 0
    assert await open_faults(at) == [Fault.TRANSACTION_DIFFERS]


async def test_finance_gives_back_in_parts_and_never_more_than_was_paid() -> None:
    at = till()
    at.wallet.instant = True
    order, attempt = await at.settled()
    await at.refund(order, 3000)
    await at.refund(order, 5000)
    with pytest.raises(RefundTooLarge):
        await at.refund(order, 1)
    await at.work()

    assert at.wallet.returned(attempt.out_trade_no) == 8000
    seen = await queries.order_of(at.needs, purpose=order.purpose, subject_id=order.subject_id)
    assert seen is not None
    assert seen.refunded_fen == 8000
    listed = await queries.refunds(at.needs, order_id=order.id)
    assert [(each.amount_fen, each.reason, each.state) for each in listed] == [
        (3000, "多收的登记费", RefundState.SUCCEEDED),
        (5000, "多收的登记费", RefundState.SUCCEEDED),
    ]


async def test_refunds_at_once_take_no_more_than_was_paid() -> None:
    at = till()
    order, _ = await at.settled()
    done = await asyncio.gather(*(at.refund(order, 3000) for _ in range(6)), return_exceptions=True)
    refused = [each for each in done if isinstance(each, RefundTooLarge)]
    assert (len(refused), await Refund.all().count()) == (4, 2)


async def test_a_refund_asked_for_twice_under_one_key_is_one() -> None:
    at = till()
    order, _ = await at.settled()
    first = await at.refund(order, 3000, key=at.key("same-key"))
    again = await at.refund(order, 3000, key=at.key("same-key"))
    assert first.id == again.id
    assert await Refund.all().count() == 1


async def test_who_gave_back_what_and_why_is_on_record() -> None:
    at = till()
    at.wallet.instant = True
    order, _ = await at.settled()
    refund = await at.refund(order, 3000)
    await at.work()
    rows = await fetch("SELECT actor_kind, action, subject_id FROM kit_audit WHERE action LIKE 'payments.refund%'")
    assert [(row["actor_kind"], row["action"], row["subject_id"]) for row in rows] == [
        ("staff", "payments.refund_requested", refund.id),
        ("system", "payments.refund_succeeded", refund.id),
    ]
    assert "登记费" not in refund.reason_sealed


async def test_what_cannot_be_given_back() -> None:
    at = till()
    open_order = await at.order()
    with pytest.raises(OrderNotPaid):
        await at.refund(open_order, 1)
    with pytest.raises(OrderNotPaid):
        await at.refund(await at.order(lines=()), 1)
    order, attempt = await at.settled()
    with pytest.raises(OrderNotPaid):
        await at.refund(order, 1, attempt_id=new_id())
    with pytest.raises(RefundTooLarge):
        await at.refund(order, 8001)
    order.id = new_id()
    with pytest.raises(OrderNotFound):
        await at.refund(order, 1)
    at.needs = replace(at.needs, refunds={})
    order.id = attempt.order_id
    with pytest.raises(WalletNotOffered):
        await at.refund(order, 1)
    assert await Refund.all().count() == 0


async def test_after_a_year_the_wallet_takes_nothing_back() -> None:
    at = till()
    order, _ = await at.settled()
    at.clock.advance(seconds=timedelta(days=366).total_seconds())
    with pytest.raises(RefundTooLate):
        await at.refund(order, 1)


@pytest.mark.parametrize("error", [DOWN, Killed()], ids=["no answer", "the process died"])
@pytest.mark.parametrize("after", [False, True], ids=["before the wallet acted", "after the wallet acted"])
@pytest.mark.parametrize("method", ["refund", "query_refund"])
async def test_an_answer_lost_gives_back_once(error: BaseException, method: str, *, after: bool) -> None:
    at = till()
    order, attempt = await at.settled()
    refund = await at.refund(order, 3000)
    if method == "query_refund":
        await at.work()
    shaky = at.through(at.wallet, refunds=failing(at.wallet, [error], after=after, methods={method}))
    at.clock.advance(seconds=10)
    if isinstance(error, Killed):
        with pytest.raises(Killed):
            await service.give_back(shaky.needs, refund_id=refund.id)
    else:
        await service.give_back(shaky.needs, refund_id=refund.id)
    for _ in range(3):
        await shaky.work(seconds=60)
    at.wallet.finish_refund(refund.out_refund_no)
    await shaky.work(seconds=600)

    assert (await the_refund()).state == RefundState.SUCCEEDED
    assert list(at.wallet.given_back) == [refund.out_refund_no]
    assert at.wallet.returned(attempt.out_trade_no) == 3000
    assert len(at.returned) == 1
    assert await parked() == []


async def test_a_refusal_for_good_is_shown_to_staff_and_asked_again_under_the_same_number() -> None:
    at = till()
    order, _ = await at.settled()
    refund = await at.refund(order, 3000)
    shaky = at.through(at.wallet, refunds=failing(at.wallet, [SHORT], methods={"refund"}))
    await shaky.work()
    kept = await the_refund()
    assert (kept.state, kept.refusal) == (RefundState.REQUESTED, "NOT_ENOUGH")
    assert await open_faults(at) == [Fault.REFUND_REFUSED]
    assert await parked() == []

    at.wallet.instant = True
    await shaky.work(seconds=6 * 3600)
    done = await the_refund()
    assert (done.state, done.refusal, done.out_refund_no) == (RefundState.SUCCEEDED, "", refund.out_refund_no)
    assert await open_faults(at) == []


async def test_a_wallet_that_stays_down_is_shown_to_staff_in_the_end() -> None:
    at = till()
    order, _ = await at.settled()
    await at.refund(order, 3000)
    down = at.through(at.wallet, refunds=failing(at.wallet, [DOWN] * 30))
    for _ in range(16):
        await down.work(seconds=600)
    assert await open_faults(at) == [Fault.REFUND_REFUSED]


async def test_a_closed_refund_is_for_staff_and_frees_its_amount() -> None:
    at = till()
    order, _ = await at.settled()
    refund = await at.refund(order, 8000)
    await at.work()
    at.wallet.finish_refund(refund.out_refund_no, RefundState.CLOSED)
    await at.work(seconds=10)
    assert (await the_refund()).state == RefundState.CLOSED
    assert await open_faults(at) == [Fault.REFUND_CLOSED]

    at.wallet.instant = True
    await at.refund(order, 8000)
    await at.work()
    assert await open_faults(at) == []
    assert len(at.returned) == 1


async def test_an_abnormal_refund_holds_its_amount_and_may_still_end_well() -> None:
    at = till()
    order, _ = await at.settled()
    refund = await at.refund(order, 8000)
    await at.work()
    at.wallet.finish_refund(refund.out_refund_no, RefundState.ABNORMAL)
    await at.work(seconds=10)
    assert await open_faults(at) == [Fault.REFUND_ABNORMAL]
    with pytest.raises(RefundTooLarge):
        await at.refund(order, 1)

    at.wallet.finish_refund(refund.out_refund_no)
    await at.work(seconds=6 * 3600)
    assert (await the_refund()).state == RefundState.SUCCEEDED
    assert await open_faults(at) == []


async def test_an_answer_about_another_amount_is_no_success() -> None:
    at = till()
    order, _ = await at.settled()
    refund = await at.refund(order, 3000)
    await at.work()
    known = at.wallet.given_back[refund.out_refund_no]
    false = replace(known.report, state=RefundState.SUCCEEDED, amount_fen=8000)
    at.wallet.given_back[refund.out_refund_no] = replace(known, report=false)
    await at.work(seconds=10)
    assert (await the_refund()).state == RefundState.PROCESSING
    assert at.returned == []
    assert await open_faults(at) == [Fault.REFUND_DIFFERS]


async def test_a_notice_brings_the_question_forward_and_is_itself_no_proof() -> None:
    at = till()
    order, attempt = await at.settled()
    refund = await at.refund(order, 3000)
    await at.work()
    await take(at, about(refund, attempt))
    assert (await the_refund()).state == RefundState.PROCESSING
    at.wallet.finish_refund(refund.out_refund_no)
    await take(at, about(refund, attempt))
    await take(at, about(refund, attempt))
    assert (await the_refund()).state == RefundState.SUCCEEDED
    assert len(at.returned) == 1
    assert await Discrepancy.all().count() == 0


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ({"out_refund_no": "0" * 32}, Fault.UNKNOWN_REFUND),
        ({"out_trade_no": "0" * 32}, Fault.UNKNOWN_REFUND),
        ({"merchant_id": "1900000999"}, Fault.MERCHANT_DIFFERS),
        ({"app_id": "wxanother"}, Fault.APP_DIFFERS),
        ({"amount_fen": 1}, Fault.REFUND_DIFFERS),
        ({"total_fen": 1}, Fault.REFUND_DIFFERS),
    ],
)
async def test_a_refund_notice_that_does_not_fit_is_kept_and_moves_nothing(
    lie: dict[str, object], fault: Fault
) -> None:
    at = till()
    order, attempt = await at.settled()
    refund = await at.refund(order, 3000)
    await at.work()
    asked = at.wallet.refunds_asked
    await take(at, about(refund, attempt, **lie))
    await take(at, about(refund, attempt, **lie))
    assert await open_faults(at) == [fault]
    assert ((await the_refund()).state, at.wallet.refunds_asked) == (RefundState.PROCESSING, asked)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.PAID


async def test_a_notice_while_the_wallet_is_down_leaves_the_next_question_as_it_was() -> None:
    at = till()
    order, attempt = await at.settled()
    refund = await at.refund(order, 3000)
    await at.work()
    before = (await the_refund()).next_question_at
    at.wallet.finish_refund(refund.out_refund_no)
    down = at.through(at.wallet, refunds=failing(at.wallet, [DOWN]))
    await take(down, about(refund, attempt))
    assert ((await the_refund()).state, (await the_refund()).next_question_at) == (RefundState.PROCESSING, before)
    await down.work(seconds=10)
    assert (await the_refund()).state == RefundState.SUCCEEDED


async def test_a_refund_at_a_wallet_that_is_gone_waits_for_staff() -> None:
    at = till()
    order, _ = await at.settled()
    await at.refund(order, 3000)
    gone = at.through(at.wallet)
    gone.drain.house.payments = replace(at.needs, refunds={})
    await gone.work()
    assert [row.handler for row in await parked()] == ["payments.refund"]


async def test_questions_end_after_a_month() -> None:
    at = till()
    order, _ = await at.settled()
    refund = await at.refund(order, 3000)
    await at.work()
    at.wallet.finish_refund(refund.out_refund_no, RefundState.ABNORMAL)
    await at.work(seconds=10)
    await at.work(seconds=timedelta(days=31).total_seconds())
    assert await fetch("SELECT id FROM kit_outbox WHERE handler = 'payments.refund'") == []
    assert await open_faults(at) == [Fault.REFUND_ABNORMAL]
