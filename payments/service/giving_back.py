"""Asking a wallet to give money back, and asking on until it has said its last word.

Every request carries the refund's own number, so that asking again never gives back twice. What a wallet pushes about
a refund only brings the next question forward: that it was taken on is no success, and what it came to is asked.
"""

from dataclasses import dataclass
from datetime import timedelta

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.errors import OutsideError, Permanent
from payments.events import RefundOpened, RefundSettled
from payments.models import Attempt, Discrepancy, Order, Refund
from payments.ports import Needs, NewRefund, Refunds
from payments.refund_rules import (
    ExpectedRefund,
    RefundNotice,
    RefundReport,
    RefundState,
    RefundVerdict,
    asked_no_more,
    judge_refund,
    notice_fault,
    question_delay,
)
from payments.rules import AttemptState, Fault
from payments.service.disputes import Kept, keep
from payments.service.refunding import paid_of

PAYER_READS = "不动产登记费退款"
"""What the payer's wallet shows as the reason; it names nobody and nothing."""
_LONGEST = 64
_PATIENCE = 12
"""Failed questions, about an hour of them, before staff see it: a short balance looks like trouble that passes."""
_SAVED = ("state", "refusal", "wallet_refund_id", "taken_at", "refunded_at")
_CLOSING = {RefundVerdict.CLOSE: RefundState.CLOSED, RefundVerdict.ABNORMAL: RefundState.ABNORMAL}


@dataclass(frozen=True, slots=True)
class _Open:
    wallet: str
    asked: NewRefund
    before: bool  # the wallet may know it


async def give_back(needs: Needs, *, refund_id: str, hinted: bool = False) -> None:
    """Ask the wallet for a refund, or what became of it, and act on the answer; `hinted` does not wait for its turn.

    A wallet that is down is asked again later. What it refuses for good becomes a discrepancy, and is asked for again
    every few hours under the same number: a balance may be topped up, a right granted.
    """
    found = await _still_open(needs, refund_id, hinted=hinted)
    if found is None:
        return
    refunds = needs.refunds.get(found.wallet)
    if refunds is None:
        raise Permanent(f"no provider gives back at {found.wallet}")
    try:
        report = await _ask(refunds, found)
    except OutsideError as error:
        await _ask_later(needs, refund_id, error, hinted=hinted)
        return
    await _conclude(needs, refund_id, report, hinted=hinted)


async def _ask(refunds: Refunds, found: _Open) -> RefundReport:
    asked = found.asked
    known = await refunds.query_refund(asked.out_trade_no, asked.out_refund_no) if found.before else None
    return known if known is not None else await refunds.refund(asked)


async def _still_open(needs: Needs, refund_id: str, *, hinted: bool) -> _Open | None:
    refund = await Refund.get(id=refund_id).select_related("attempt")
    if refund.state == RefundState.AWAITING:  # whatever a notice says: no wallet was asked
        return None
    # A row handled again after a crash finds the next question on its way already.
    if RefundState(refund.state).final or (refund.next_question_at > needs.clock.now() and not hinted):
        return None
    attempt = refund.attempt
    asked = NewRefund(
        out_trade_no=attempt.out_trade_no,
        out_refund_no=refund.out_refund_no,
        amount_fen=refund.amount_fen,
        total_fen=paid_of(refund, attempt),
        reason=PAYER_READS,
    )
    before = hinted or refund.questions > 0 or refund.state != RefundState.REQUESTED
    return _Open(refund.wallet, asked, before=before)


async def take_refund_notice(needs: Needs, *, wallet: str, notice: RefundNotice, inbox_id: str) -> None:
    """Ask about the refund that a genuine notice names; keep a discrepancy when it is none of ours or does not fit."""
    refund_id = await _known(needs, wallet, notice, inbox_id)
    if refund_id is not None:
        await give_back(needs, refund_id=refund_id, hinted=True)


@transactional
async def _known(needs: Needs, wallet: str, notice: RefundNotice, inbox_id: str) -> str | None:
    refund = await Refund.get_or_none(out_refund_no=notice.out_refund_no, wallet=wallet).select_related("attempt")
    fault = Fault.UNKNOWN_REFUND if refund is None else notice_fault(_expected(refund, refund.attempt), notice)
    if fault is None and refund is not None:
        return str(refund.id)
    kept = Kept(
        wallet=wallet,
        about=notice.out_refund_no or notice.out_trade_no,
        out_trade_no=notice.out_trade_no,
        transaction_id=notice.out_refund_no,
        inbox_id=inbox_id,
        attempt=await Attempt.get_or_none(out_trade_no=notice.out_trade_no, wallet=wallet),
        expected_fen=refund.amount_fen if refund else None,
        reported_fen=notice.amount_fen,
    )
    await keep(needs, fault or Fault.UNKNOWN_REFUND, kept)
    return None


def _expected(refund: Refund, attempt: Attempt) -> ExpectedRefund:
    return ExpectedRefund(
        out_trade_no=attempt.out_trade_no,
        out_refund_no=refund.out_refund_no,
        amount_fen=refund.amount_fen,
        total_fen=paid_of(refund, attempt),
        merchant_id=attempt.merchant_id,
        app_id=attempt.app_id,
    )


async def _locked(refund_id: str) -> tuple[Order, Attempt, Refund]:
    """The order first, as everybody takes it first."""
    found = await Refund.get(id=refund_id)
    order = await Order.select_for_update().get(id=found.order_id)
    attempt = await Attempt.get(id=found.attempt_id)
    return order, attempt, await Refund.select_for_update().get(id=refund_id)


@transactional
async def _conclude(needs: Needs, refund_id: str, report: RefundReport, *, hinted: bool) -> None:
    order, attempt, refund = await _locked(refund_id)
    if RefundState(refund.state).final:
        return
    verdict, fault = judge_refund(_expected(refund, attempt), report)
    if fault is not None:
        await _keep(needs, fault, refund, attempt, report)
    if verdict is not RefundVerdict.DISPUTE and report.state is not RefundState.UNKNOWN and refund.taken_at is None:
        refund.taken_at = needs.clock.now()
    if verdict is RefundVerdict.SUCCEED:
        await _succeed(needs, order, attempt, refund, report)
        return
    if verdict is RefundVerdict.WAIT:
        refund.state, refund.refusal = RefundState.PROCESSING.value, ""
    elif verdict in _CLOSING:
        refund.state = _CLOSING[verdict].value
    if report.refund_id and verdict is not RefundVerdict.DISPUTE:
        refund.wallet_refund_id = report.refund_id[:_LONGEST]
    await _save(needs, refund)
    if not RefundState(refund.state).final and not hinted:
        await _schedule(needs, refund, stuck=fault is not None)


async def _succeed(needs: Needs, order: Order, attempt: Attempt, refund: Refund, report: RefundReport) -> None:
    now = needs.clock.now()
    refund.state = RefundState.SUCCEEDED.value
    refund.refusal = ""
    refund.wallet_refund_id = (report.refund_id or refund.wallet_refund_id)[:_LONGEST]
    refund.refunded_at = report.refunded_at or now
    await _save(needs, refund)
    await Discrepancy.filter(refund_ref=refund.id, resolved_at=None).update(resolved_at=now)
    done = await Refund.filter(attempt_id=attempt.id, state=RefundState.SUCCEEDED.value)
    if sum(each.amount_fen for each in done) == paid_of(refund, attempt):
        open_ones = Discrepancy.filter(attempt_ref=attempt.id, resolved_at=None)
        if attempt.state != AttemptState.DISPUTED:
            open_ones = open_ones.filter(fault__in=[Fault.PAID_TWICE.value, Fault.NOT_DUE.value])
        await open_ones.update(resolved_at=now)
    await record(
        actor=Actor("system", "payments"),
        action="payments.refund_succeeded",
        subject=("payment_refund", refund.id),
        details={"order_id": order.id, "amount_fen": refund.amount_fen, "cause": refund.cause},
    )
    await needs.outbox.publish(RefundSettled(refund.id, order.id, order.purpose, order.subject_id))


@transactional
async def _ask_later(needs: Needs, refund_id: str, error: OutsideError, *, hinted: bool) -> None:
    _, attempt, refund = await _locked(refund_id)
    if RefundState(refund.state).final or (hinted and not error.permanent):
        return
    if error.permanent or refund.questions >= _PATIENCE:
        refund.refusal = error.code[:_LONGEST]
        await _save(needs, refund)
        await _keep(needs, Fault.REFUND_REFUSED, refund, attempt, None)
    if not hinted:
        await _schedule(needs, refund, stuck=error.permanent)


async def _keep(needs: Needs, fault: Fault, refund: Refund, attempt: Attempt, report: RefundReport | None) -> None:
    kept = Kept(
        wallet=refund.wallet,
        about=refund.out_refund_no,
        out_trade_no=attempt.out_trade_no,
        transaction_id=refund.out_refund_no,
        refund=refund,
        expected_fen=refund.amount_fen,
        reported_fen=report.amount_fen if report else None,
    )
    await keep(needs, fault, kept)


async def _save(needs: Needs, refund: Refund) -> None:
    refund.updated_at = needs.clock.now()
    refund.version += 1
    await refund.save(update_fields=[*_SAVED, "updated_at", "version"])


async def _schedule(needs: Needs, refund: Refund, *, stuck: bool) -> None:
    now = needs.clock.now()
    delay = question_delay(refund.questions, stuck=stuck)
    refund.questions += 1
    refund.next_question_at = now + timedelta(seconds=delay)
    await refund.save(update_fields=["questions", "next_question_at"])
    if not asked_no_more(created_at=refund.created_at, now=now):
        await needs.outbox.publish(RefundOpened(refund.id), delay_seconds=delay)
