from datetime import datetime

from kit.db import transactional
from server.applications.errors import PaymentInProgress
from server.applications.events import FeeSettled
from server.applications.ports import Needs
from server.applications.service.decide import move_track
from server.applications.service.rows import lock, recorded, save, step
from server.applications.states import Hold, TrackState


@transactional
async def set_hold(needs: Needs, *, application_id: str, hold: str = Hold.PAYMENT) -> None:
    """Keep the application from ending while somebody may pay for it; setting the same hold again is harmless."""
    row = await lock(application_id)
    if row.hold == hold:
        return
    if row.hold is not None:
        raise PaymentInProgress
    row.hold = hold
    await save(needs, row, "hold")


@transactional
async def release_hold(needs: Needs, *, application_id: str, hold: str = Hold.PAYMENT) -> None:
    """Give up a hold; releasing one that is not set is harmless."""
    row = await lock(application_id)
    if row.hold == hold:
        row.hold = None
        await save(needs, row, "hold")


@transactional
async def record_fee_order(needs: Needs, *, application_id: str, order_id: str, amount_fen: int) -> None:
    """The fee has fallen due as an order, amount in fen; repeating it is harmless."""
    row = await lock(application_id)
    if row.fee_order_id == order_id:
        return
    now = needs.clock.now()
    row.fee_order_id, row.fee_amount_fen = order_id, amount_fen
    await save(needs, row, "fee_order_id", "fee_amount_fen")
    await move_track(row, "fee", TrackState.OPEN, at=now)
    await step(row, code="fee_due", name="请缴纳登记费", at=now, message_id=f"fee_due:{order_id}")


@transactional
async def record_fee_settled(
    needs: Needs,
    *,
    application_id: str,
    order_id: str,
    amount_fen: int,
    paid_at: datetime,
    transaction_id: str,
) -> None:
    """The fee is paid: the track is done, the hold ends, the registry is to hear of it. Recorded once per order."""
    row = await lock(application_id)
    message_id = f"fee_settled:{order_id}"
    if await recorded(row.id, message_id):
        return
    row.fee_order_id, row.fee_amount_fen = order_id, amount_fen
    row.fee_paid_at, row.fee_transaction_id = paid_at, transaction_id
    row.hold = None if row.hold == Hold.PAYMENT else row.hold
    columns = ("fee_order_id", "fee_amount_fen", "fee_paid_at", "fee_transaction_id", "hold")
    await save(needs, row, *columns)
    await move_track(row, "fee", TrackState.DONE, at=paid_at)
    await step(row, code="fee", name="登记费已缴清", at=paid_at, message_id=message_id)
    await needs.outbox.publish(FeeSettled(row.id))
