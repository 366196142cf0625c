"""Asking a wallet what became of an attempt, for as long as nobody knows.

A question without a final answer is asked again by a new, delayed event, not by failing: a payment that nobody has made
yet is no error, and staff need not see it.
"""

from dataclasses import dataclass
from datetime import timedelta

from kit.db import transactional
from kit.errors import OutsideError, Permanent
from payments.events import AttemptOpened
from payments.models import Attempt
from payments.ports import Needs, Ordering
from payments.rules import AttemptState, Fault, OrderState, Report, TradeState, Verdict, judge, poll_delay
from payments.service.disputes import Kept, Word, expected_of, keep
from payments.service.settling import despite_rivals, dispute, lock, move, settle

_LAST_WORDS = frozenset({TradeState.PAID, TradeState.CLOSED, TradeState.REFUNDED})


@dataclass(frozen=True, slots=True)
class _Open:
    out_trade_no: str
    wallet: str
    merchant_id: str
    over: bool  # its time has passed, or its order was paid under another number or called off


async def poll(needs: Needs, *, attempt_id: str) -> None:
    """Ask the wallet about an attempt and act on the answer; close it there when its time is over.

    A wallet that is down is asked again later; OutsideError only when it refuses the question for good.
    """
    attempt = await _still_open(needs, attempt_id)
    if attempt is None:
        return
    ordering = needs.ordering.get(attempt.wallet)
    if ordering is None:
        raise Permanent(f"no provider for {attempt.wallet}")
    if ordering.account.merchant_id != attempt.merchant_id:
        await _leave_to_staff(needs, attempt_id)
        return
    try:
        report = await ordering.query(attempt.out_trade_no)
        closed = attempt.over and await _close(ordering, attempt.out_trade_no, report)
    except OutsideError as error:
        if error.permanent:
            raise
        await _ask_again(needs, attempt_id)
        return
    word = Word(attempt.wallet, report) if report else None
    await despite_rivals(lambda: _conclude(needs, attempt_id, word, closed=closed))


async def close_now(needs: Needs, *, attempt_id: str) -> AttemptState:
    """Make an attempt unpayable at its wallet, or find that it was paid, and answer what it is then.

    OutsideError when the wallet is down or not configured any more.
    """
    attempt = await Attempt.get(id=attempt_id)
    if AttemptState(attempt.state).final:
        return AttemptState(attempt.state)
    ordering = needs.ordering.get(attempt.wallet)
    if ordering is None:
        raise OutsideError(attempt.wallet, "NOT_CONFIGURED", "the wallet of an open attempt is gone", permanent=False)
    if ordering.account.merchant_id != attempt.merchant_id:
        await _leave_to_staff(needs, attempt_id)
        return AttemptState((await Attempt.get(id=attempt_id)).state)
    report = await ordering.query(attempt.out_trade_no)
    closed = await _close(ordering, attempt.out_trade_no, report)
    if not closed and (report is None or report.trade_state not in _LAST_WORDS):
        report = await ordering.query(attempt.out_trade_no)  # paid in this very moment?
    word = Word(attempt.wallet, report) if report else None
    await despite_rivals(lambda: _conclude(needs, attempt_id, word, closed=closed, again=False))
    return AttemptState((await Attempt.get(id=attempt_id)).state)


async def _still_open(needs: Needs, attempt_id: str) -> _Open | None:
    attempt = await Attempt.get(id=attempt_id).select_related("order")
    now = needs.clock.now()
    # A row handled again after a crash finds the next question on its way already.
    if AttemptState(attempt.state).final or attempt.next_poll_at > now:
        return None
    over = now >= attempt.expires_at or attempt.order.state != OrderState.OPEN
    return _Open(attempt.out_trade_no, attempt.wallet, attempt.merchant_id, over)


@transactional
async def _leave_to_staff(needs: Needs, attempt_id: str) -> None:
    """An attempt at a merchant that is not in the settings any more; that ours never heard of it proves nothing."""
    _, attempt = await lock(attempt_id)
    if AttemptState(attempt.state).final:
        return
    kept = Kept(
        wallet=attempt.wallet,
        about=attempt.out_trade_no,
        out_trade_no=attempt.out_trade_no,
        attempt=attempt,
        expected_fen=attempt.amount_fen,
    )
    await keep(needs, Fault.MERCHANT_CHANGED, kept)
    await move(needs, attempt, AttemptState.DISPUTED)


async def _close(ordering: Ordering, out_trade_no: str, report: Report | None) -> bool:
    """Whether it can be paid no more; not tried where the wallet has spoken its last word."""
    if report is not None and report.trade_state in _LAST_WORDS:
        return False
    return await ordering.close(out_trade_no)


@transactional
async def _conclude(needs: Needs, attempt_id: str, word: Word | None, *, closed: bool, again: bool = True) -> None:
    order, attempt = await lock(attempt_id)
    if AttemptState(attempt.state).final:  # a notice was faster
        return
    verdict, fault = judge(expected_of(attempt), word.report) if word else (Verdict.WAIT, None)
    if word and verdict is Verdict.SETTLE:
        await settle(needs, order, attempt, word)
    elif word and verdict is Verdict.DISPUTE:
        await dispute(needs, fault or Fault.UNREADABLE, attempt, word)
    elif verdict is Verdict.CLOSE or closed:
        await move(needs, attempt, AttemptState.CLOSED)
    elif again:
        await _schedule(needs, attempt)


@transactional
async def _ask_again(needs: Needs, attempt_id: str) -> None:
    _, attempt = await lock(attempt_id)
    if not AttemptState(attempt.state).final:
        await _schedule(needs, attempt)


async def _schedule(needs: Needs, attempt: Attempt) -> None:
    attempt.polls += 1
    delay = poll_delay(attempt.polls)
    now = needs.clock.now()
    attempt.next_poll_at = now + timedelta(seconds=delay)
    attempt.updated_at = now
    await attempt.save(update_fields=["polls", "next_poll_at", "updated_at"])
    await needs.outbox.publish(AttemptOpened(attempt.id), delay_seconds=delay)
