"""Settling: once per order, and only on a wallet's word that fits; a word that does not fit is kept for staff.

A discrepancy is a row, not a parked event: a parked row would hold back the honest notice that comes after it under the
same number, and handling it again could never end otherwise.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import orjson
from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.errors import Permanent
from kit.ids import new_id
from kit.inbox import open_body
from payments.events import PaymentSettled
from payments.models import Attempt, Order, Refund, Settlement
from payments.ports import Needs, UnreadableReport
from payments.refund_rules import RefundCause, RefundNotice, RefundState
from payments.rules import AttemptState, Fault, OrderState, TradeState, Verdict, judge
from payments.service.disputes import Kept, Word, expected_of, keep, keep_word
from payments.service.giving_back import take_refund_notice
from payments.service.refunding import given_back_in_full, open_refund_of_itself


def sealed_notice(wallet: str, body: bytes) -> bytes:
    """A notice as it is kept in the inbox: with the wallet that can read it."""
    return orjson.dumps({"wallet": wallet, "notice": body.decode()})


async def settle_notice(needs: Needs, *, inbox_id: str) -> None:
    """Take a notice for what it is worth: settle its order, do nothing if that was done, or keep a discrepancy."""
    kept = orjson.loads(await open_body(needs.cipher, inbox_id=inbox_id))
    wallet = kept["wallet"]
    notices = needs.notices.get(wallet)
    if notices is None:
        raise Permanent(f"no provider reads the notices of {wallet}")
    try:
        said = notices.read(kept["notice"].encode())
    except UnreadableReport:
        await _keep_unreadable(needs, wallet, inbox_id)
        return
    if isinstance(said, RefundNotice):
        await take_refund_notice(needs, wallet=wallet, notice=said, inbox_id=inbox_id)
        return
    word = Word(wallet, said, inbox_id)
    await despite_rivals(lambda: _take_notice(needs, word))


async def despite_rivals(command: Callable[[], Awaitable[None]]) -> None:
    """Once more when a unique key said that somebody else was faster: what they wrote is seen now."""
    try:
        await command()
    except IntegrityError:
        await command()


@transactional
async def _keep_unreadable(needs: Needs, wallet: str, inbox_id: str) -> None:
    await keep(needs, Fault.UNREADABLE, Kept(wallet=wallet, about=inbox_id, inbox_id=inbox_id))


@transactional
async def _take_notice(needs: Needs, word: Word) -> None:
    order, attempt = await _locked(word)
    if order is None or attempt is None:
        await keep_word(needs, Fault.UNKNOWN_NUMBER, word, None)
        return
    verdict, fault = judge(expected_of(attempt), word.report)
    if verdict is Verdict.SETTLE:
        await settle(needs, order, attempt, word)
    elif fault not in {None, Fault.REFUNDED} or not await _is_no_news(attempt, word.report.trade_state):
        # The attempt stays as it is: what a notice says wrongly, the next poll asks the wallet itself.
        await keep_word(needs, fault or Fault.NOT_PAID, word, attempt)


async def _is_no_news(attempt: Attempt, said: TradeState) -> bool:
    """Whether what is no payment fits what we know: Alipay tells of new and of closed trades too, early or late."""
    state = AttemptState(attempt.state)
    if said in {TradeState.CLOSED, TradeState.REFUNDED}:
        # A trade of Alipay that was given back in full is closed, however it was paid before.
        ours = state in {AttemptState.PAID, AttemptState.DISPUTED} and await given_back_in_full(attempt)
        return ours or (said is TradeState.CLOSED and state is AttemptState.CLOSED)
    return said is TradeState.UNPAID and state is not AttemptState.DISPUTED


async def _locked(word: Word) -> tuple[Order | None, Attempt | None]:
    """The order first, then the attempt: the one order in which everybody takes these locks."""
    found = await Attempt.get_or_none(out_trade_no=word.report.out_trade_no, wallet=word.wallet)
    return await lock(found.id) if found is not None else (None, None)


async def lock(attempt_id: str) -> tuple[Order, Attempt]:
    """The attempt and its order, locked until the transaction ends."""
    attempt = await Attempt.get(id=attempt_id)
    order = await Order.select_for_update().get(id=attempt.order_id)
    return order, await Attempt.select_for_update().get(id=attempt_id)


async def settle(needs: Needs, order: Order, attempt: Attempt, word: Word) -> None:
    """Settle a locked order on a word that fits, or give back what was paid without being owed."""
    report = word.report
    earlier = await Settlement.get_or_none(wallet=word.wallet, transaction_id=report.transaction_id)
    if earlier is not None:
        if earlier.order_id != order.id or earlier.attempt_id != attempt.id:
            await _refuse_reused(needs, attempt, word)
        return
    if attempt.state == AttemptState.DISPUTED and await _goes_back(attempt):
        # Finance has given up on it: the money that this word tells of is gone, or on its way.
        await keep_word(needs, Fault.REFUNDED, word, attempt)
        return
    now = needs.clock.now()
    if order.state != OrderState.OPEN:
        await _take_undue(needs, order, attempt, word)
        return
    await Settlement.create(
        id=new_id(),
        order=order,
        attempt=attempt,
        wallet=word.wallet,
        transaction_id=report.transaction_id,
        amount_fen=attempt.amount_fen,
        paid_at=report.paid_at or now,
        created_at=now,
    )
    await _mark_settled(order, now)
    await move(needs, attempt, AttemptState.PAID)
    await needs.outbox.publish(PaymentSettled(order.id, order.purpose, order.subject_id))


async def _refuse_reused(needs: Needs, attempt: Attempt, word: Word) -> None:
    if attempt.state == AttemptState.PAID:  # by a transaction of its own, which this word does not undo
        await keep_word(needs, Fault.TRANSACTION_REUSED, word, attempt)
    else:
        await dispute(needs, Fault.TRANSACTION_REUSED, attempt, word)


async def _goes_back(attempt: Attempt) -> bool:
    return bool(await Refund.filter(attempt_id=attempt.id).exclude(state=RefundState.CLOSED.value).exists())


async def _take_undue(needs: Needs, order: Order, attempt: Attempt, word: Word) -> None:
    """Give back what was paid for an order that is paid already, or called off: in full and by itself."""
    if await Settlement.exists(attempt_id=attempt.id):
        # The very payment that settled the order, under another transaction: giving it back would undo it.
        await keep_word(needs, Fault.TRANSACTION_DIFFERS, word, attempt)
        return
    called_off = order.state == OrderState.CALLED_OFF
    fault, cause = (
        (Fault.NOT_DUE, RefundCause.NOT_DUE) if called_off else (Fault.PAID_TWICE, RefundCause.SECOND_PAYMENT)
    )
    await keep_word(needs, fault, word, attempt)
    await move(needs, attempt, AttemptState.PAID)
    await open_refund_of_itself(needs, order, attempt, cause=cause, fault=fault)


async def _mark_settled(order: Order, now: datetime) -> None:
    order.state = OrderState.SETTLED.value
    order.settled_at = now
    order.updated_at = now
    order.version += 1
    await order.save(update_fields=["state", "settled_at", "updated_at", "version"])


async def move(needs: Needs, attempt: Attempt, state: AttemptState) -> None:
    """Put a locked attempt into another state."""
    attempt.state = state.value
    attempt.updated_at = needs.clock.now()
    attempt.version += 1
    await attempt.save(update_fields=["state", "updated_at", "version"])


async def dispute(needs: Needs, fault: Fault, attempt: Attempt, word: Word) -> None:
    """Keep the wallet's own answer that does not fit, and ask no more about the attempt."""
    await keep_word(needs, fault, word, attempt)
    await move(needs, attempt, AttemptState.DISPUTED)
