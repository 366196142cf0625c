from collections.abc import Sequence
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.ids import new_id
from payments.events import OrderOpened, PaymentSettled
from payments.models import Order, OrderLine, Settlement
from payments.ports import Needs
from payments.rules import FREE, Line, OrderState, total


async def open_order(needs: Needs, *, purpose: str, subject_id: str, payer_id: str, lines: Sequence[Line]) -> str:
    """Charge `payer_id` for the lines and answer the order's id, the earlier one if it is charged for already.

    An order of zero fen settles at once, without a wallet. ValueError for a negative line.
    """
    try:
        return await _open(needs, purpose, subject_id, payer_id, lines)
    except IntegrityError:  # another worker opened it meanwhile
        return str((await Order.get(slot=_slot(purpose, subject_id))).id)


def _slot(purpose: str, subject_id: str) -> str:
    return f"{purpose}:{subject_id}"


@transactional
async def _open(needs: Needs, purpose: str, subject_id: str, payer_id: str, lines: Sequence[Line]) -> str:
    slot = _slot(purpose, subject_id)
    existing = await Order.get_or_none(slot=slot)
    if existing is not None:
        return str(existing.id)
    now = needs.clock.now()
    amount = total(lines)
    order = await Order.create(
        id=new_id(),
        purpose=purpose,
        subject_id=subject_id,
        payer_id=payer_id,
        slot=slot,
        amount_fen=amount,
        created_at=now,
        updated_at=now,
    )
    for position, line in enumerate(lines, start=1):
        await OrderLine.create(
            id=new_id(),
            order=order,
            position=position,
            code=line.code,
            name=line.name,
            amount_fen=line.amount_fen,
        )
    if amount:
        await needs.outbox.publish(OrderOpened(order.id, purpose, subject_id))
    else:
        await _settle_free(needs, order, now)
    return str(order.id)


async def _settle_free(needs: Needs, order: Order, now: datetime) -> None:
    await Settlement.create(
        id=new_id(),
        order=order,
        wallet=FREE,
        transaction_id=order.id,
        amount_fen=0,
        paid_at=now,
        created_at=now,
    )
    order.state = OrderState.SETTLED.value
    order.settled_at = now
    await order.save(update_fields=["state", "settled_at"])
    await needs.outbox.publish(PaymentSettled(order.id, order.purpose, order.subject_id))
