"""The second person: confirms what somebody else of finance asked to give back, or turns it down."""

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from payments.errors import RefundNotAwaiting, RefundNotFound, RefundOwn, RefundTooLate
from payments.models import Attempt, Order, Refund
from payments.ports import Needs
from payments.refund_rules import REFUNDED_WITHIN, RefundState
from payments.service.refunding import send

_DONE = 200


@transactional
async def confirm_refund(needs: Needs, *, refund_id: str, staff_id: str, key: RequestKey) -> str:
    """Let a waiting refund go to its wallet; answers its id.

    Errors: REFUND_NOT_FOUND, REFUND_NOT_AWAITING, REFUND_OWN, REFUND_TOO_LATE.
    """
    refund = await _waiting(refund_id)
    if refund.asked_by == staff_id:
        raise RefundOwn
    attempt = await Attempt.get(id=refund.attempt_id)
    if needs.clock.now() - attempt.created_at > REFUNDED_WITHIN:
        raise RefundTooLate
    refund.next_question_at = needs.clock.now()
    await _decide(needs, refund, RefundState.REQUESTED, staff_id, "payments.refund_confirmed", None)
    await send(needs, refund)
    await key.settle(result_id=refund_id, status=_DONE)
    return refund_id


@transactional
async def decline_refund(needs: Needs, *, refund_id: str, staff_id: str, reason: str, key: RequestKey) -> str:
    """Close a waiting refund, of which no wallet has heard; whoever asked for it may do so too. Answers its id.

    Errors: REFUND_NOT_FOUND, REFUND_NOT_AWAITING.
    """
    refund = await _waiting(refund_id)
    await _decide(needs, refund, RefundState.CLOSED, staff_id, "payments.refund_declined", reason)
    await key.settle(result_id=refund_id, status=_DONE)
    return refund_id


async def _waiting(refund_id: str) -> Refund:
    """The refund, locked behind its order, as everybody takes these locks."""
    found = await Refund.get_or_none(id=refund_id)
    if found is None:
        raise RefundNotFound
    await Order.select_for_update().get(id=found.order_id)
    refund = await Refund.select_for_update().get(id=refund_id)
    if refund.state != RefundState.AWAITING:
        raise RefundNotAwaiting
    return refund


async def _decide(
    needs: Needs, refund: Refund, state: RefundState, staff_id: str, action: str, reason: str | None
) -> None:
    now = needs.clock.now()
    # Where row locks do not reach, the condition lets one of two decisions through.
    changed = await Refund.filter(id=refund.id, state=RefundState.AWAITING.value).update(
        state=state.value,
        decided_by=staff_id,
        decided_at=now,
        next_question_at=refund.next_question_at,
        updated_at=now,
        version=refund.version + 1,
    )
    if not changed:
        raise RefundNotAwaiting
    await record(
        actor=Actor("staff", staff_id),
        action=action,
        subject=("payment_refund", refund.id),
        reason=reason,
        details={"order_id": refund.order_id, "amount_fen": refund.amount_fen, "asked_by": refund.asked_by},
        at=now,
    )
