"""Taking a refund on: committed here, asked of the wallet later by the worker."""

from dataclasses import dataclass, replace
from datetime import datetime

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from kit.money import yuan
from payments.errors import (
    OrderNotFound,
    OrderNotPaid,
    PaymentNotHeld,
    RefundTooLarge,
    RefundTooLate,
    RefundTooMany,
    WalletNotOffered,
)
from payments.events import RefundOpened
from payments.models import REASON_AT, Attempt, Discrepancy, Order, Refund, Settlement
from payments.ports import Needs
from payments.refund_rules import RefundCause, RefundFlaw, RefundState, flaw_of, held_fen, needs_second
from payments.rules import AttemptState, Fault
from payments.service.disputes import expected_of

_CREATED = 201
_ITSELF = Actor("system", "payments")


@dataclass(frozen=True, slots=True)
class _Asked:
    amount_fen: int
    cause: RefundCause
    reason: str
    by: Actor
    slot: str | None = None
    # What the wallet holds of a disputed payment; None where our own books know what was paid.
    paid_fen: int | None = None


async def refund(
    needs: Needs,
    *,
    order_id: str,
    attempt_id: str | None,
    amount_fen: int,
    reason: str,
    staff_id: str,
    key: RequestKey,
) -> str:
    """Give `amount_fen` of a payment back and answer the refund's id; the one that settled the order unless named.

    From the sum in `needs.confirmed_from_fen` on it waits for a second person, and no wallet hears of it before. Of a
    disputed payment goes back what its wallet holds, which is asked first.
    Errors: ORDER_NOT_FOUND, ORDER_NOT_PAID, PAYMENT_NOT_HELD, REFUND_TOO_LARGE, REFUND_TOO_LATE, REFUND_TOO_MANY,
    WALLET_NOT_OFFERED, and OutsideError of the wallet of a disputed payment.
    """
    paid_fen = await _disputed_fen(needs, order_id, attempt_id) if attempt_id else None
    asked = _Asked(amount_fen, RefundCause.STAFF, reason, Actor("staff", staff_id), paid_fen=paid_fen)
    return await _refund(needs, order_id, attempt_id, asked, key)


async def _disputed_fen(needs: Needs, order_id: str, attempt_id: str) -> int | None:
    """What the wallet holds under a disputed number, by its own answer now; None for a number that is not disputed."""
    attempt = await Attempt.get_or_none(id=attempt_id, order_id=order_id, state=AttemptState.DISPUTED.value)
    if attempt is None:
        return None
    known = await Refund.filter(attempt_id=attempt.id).first()
    if known is not None:  # since then the wallet's word of the trade is "refunded"
        return None if known.paid_fen is None else int(known.paid_fen)
    ordering = needs.ordering.get(attempt.wallet)
    if ordering is None:
        raise _not_offered()
    report = await ordering.query(attempt.out_trade_no)
    held = held_fen(expected_of(attempt), report)
    if report is None or held is None:
        raise PaymentNotHeld
    # The wallet moves it by our number, but it is the money of the order that this transaction settled.
    if await Settlement.exists(wallet=attempt.wallet, transaction_id=report.transaction_id):
        raise PaymentNotHeld
    return held


def _not_offered() -> WalletNotOffered:
    return WalletNotOffered("这个钱包没有配置，不能退款")


@transactional
async def _refund(needs: Needs, order_id: str, attempt_id: str | None, asked: _Asked, key: RequestKey) -> str:
    order = await Order.select_for_update().get_or_none(id=order_id)
    if order is None:
        raise OrderNotFound("没有这笔订单，请核对订单编号")
    attempt = await _paid_attempt(order, attempt_id, disputed=asked.paid_fen is not None)
    if attempt.wallet not in needs.refunds:
        raise _not_offered()
    if attempt.state == AttemptState.PAID:
        asked = replace(asked, paid_fen=None)
    await _check(needs, attempt, asked)
    opened = await _open(needs, order, attempt, asked, waits=await _waits(needs, attempt, asked))
    # Where row locks do not reach, two refunds at once meet in this row instead.
    await Order.filter(id=order.id).update(version=order.version + 1, updated_at=needs.clock.now())
    await key.settle(result_id=opened.id, status=_CREATED)
    return str(opened.id)


async def _waits(needs: Needs, attempt: Attempt, asked: _Asked) -> bool:
    by_staff = Refund.filter(attempt_id=attempt.id, cause=RefundCause.STAFF.value)
    earlier = await by_staff.exclude(state=RefundState.CLOSED.value)
    return needs_second(
        amount_fen=asked.amount_fen,
        earlier_fen=sum(each.amount_fen for each in earlier),
        from_fen=needs.confirmed_from_fen,
    )


async def _paid_attempt(order: Order, attempt_id: str | None, *, disputed: bool) -> Attempt:
    if attempt_id is None:
        settlement = await Settlement.get_or_none(order_id=order.id)
        attempt_id = settlement.attempt_id if settlement else None
    attempt = await Attempt.get_or_none(id=attempt_id, order_id=order.id) if attempt_id else None
    if attempt is None or not (
        attempt.state == AttemptState.PAID or (disputed and attempt.state == AttemptState.DISPUTED)
    ):
        raise OrderNotPaid
    return attempt


async def _check(needs: Needs, attempt: Attempt, asked: _Asked) -> None:
    """All that was not given up counts: what a wallet is still to decide on may yet go back."""
    paid_fen = attempt.amount_fen if asked.paid_fen is None else asked.paid_fen
    earlier = await Refund.filter(attempt_id=attempt.id).exclude(state=RefundState.CLOSED.value)
    earlier_fen = sum(each.amount_fen for each in earlier)
    flaw = flaw_of(
        amount_fen=asked.amount_fen,
        paid_fen=paid_fen,
        earlier_fen=earlier_fen,
        earlier=len(earlier),
        paid_at=attempt.created_at,
        now=needs.clock.now(),
    )
    if flaw is RefundFlaw.TOO_LARGE:
        raise RefundTooLarge(f"这笔支付最多还能退{yuan(paid_fen - earlier_fen)}元")
    if flaw is RefundFlaw.TOO_LATE:
        raise RefundTooLate
    if flaw is RefundFlaw.TOO_MANY:
        raise RefundTooMany


async def open_refund_of_itself(
    needs: Needs, order: Order, attempt: Attempt, *, cause: RefundCause, fault: Fault
) -> None:
    """Give a payment that a locked order does not need back in full, once however often it is heard of."""
    slot = f"second:{attempt.id}"
    if await Refund.exists(slot=slot):
        return
    opened = await _open(needs, order, attempt, _Asked(attempt.amount_fen, cause, cause.text, _ITSELF, slot))
    await Discrepancy.filter(attempt_ref=attempt.id, fault=fault.value).update(refund_ref=opened.id)


async def _open(needs: Needs, order: Order, attempt: Attempt, asked: _Asked, *, waits: bool = False) -> Refund:
    now: datetime = needs.clock.now()
    refund_id = new_id()
    opened = await Refund.create(
        id=refund_id,
        order=order,
        attempt=attempt,
        slot=asked.slot,
        out_refund_no=refund_id,
        wallet=attempt.wallet,
        cause=asked.cause.value,
        amount_fen=asked.amount_fen,
        paid_fen=asked.paid_fen,
        reason_sealed=needs.cipher.seal(asked.reason, (REASON_AT, refund_id)),
        asked_by=asked.by.id if asked.cause is RefundCause.STAFF else None,
        state=RefundState.AWAITING.value if waits else RefundState.REQUESTED.value,
        next_question_at=now,
        created_at=now,
        updated_at=now,
    )
    await record(
        actor=asked.by,
        action="payments.refund_requested",
        subject=("payment_refund", refund_id),
        reason=asked.reason,
        details={"order_id": order.id, "amount_fen": asked.amount_fen, "cause": asked.cause.value, "waits": waits},
    )
    if not waits:
        await send(needs, opened)
    return opened


async def send(needs: Needs, refund: Refund) -> None:
    """Let the worker ask the wallet; one that a wallet closed before is made good by this."""
    closed = Discrepancy.filter(attempt_ref=refund.attempt_id, fault=Fault.REFUND_CLOSED.value, resolved_at=None)
    await closed.update(resolved_at=needs.clock.now())
    await needs.outbox.publish(RefundOpened(refund.id))


def paid_of(refund: Refund, attempt: Attempt) -> int:
    """The payment that a refund is of, in fen."""
    return int(attempt.amount_fen if refund.paid_fen is None else refund.paid_fen)


async def given_back_in_full(attempt: Attempt) -> bool:
    """Whether our own refunds, done or under way, take the whole payment."""
    not_sent = [RefundState.CLOSED.value, RefundState.AWAITING.value]
    found = await Refund.filter(attempt_id=attempt.id).exclude(state__in=not_sent)
    return bool(found) and sum(each.amount_fen for each in found) == paid_of(found[0], attempt)
