"""Receipts: what became of a message after it was sent. The provider is asked a few times, then let be."""

from kit.db import execute, transactional
from kit.log import get_logger
from notifications.events import ReceiptDue
from notifications.models import Delivery
from notifications.ports import Needs, Report
from notifications.rules import RECEIPT_AFTER, DeliveryState

log = get_logger("notifications")


async def record_receipt(needs: Needs, *, delivery_id: str, attempt: int) -> None:
    """Ask what became of a delivery and write it down, or ask again later; OutsideError passes through."""
    delivery = await Delivery.get(id=delivery_id).select_related("message")
    receipts = needs.receipts.get(delivery.channel)
    if delivery.state != DeliveryState.SENT or delivery.receipt is None or receipts is None:
        return
    address = await needs.addresses.address(delivery.message.recipient, delivery.channel)
    if address is None:
        return
    report = await receipts.report(address=address, receipt=delivery.receipt, sent_at=delivery.updated_at)
    if report is None:
        await _ask_again(needs, delivery_id, attempt)
        return
    if not report.received:
        log.warning("message_undelivered", channel=delivery.channel, delivery=delivery_id, error_code=report.reason)
    await _record(needs, delivery_id, report)


@transactional
async def _record(needs: Needs, delivery_id: str, report: Report) -> None:
    state = DeliveryState.RECEIVED if report.received else DeliveryState.UNDELIVERED
    await execute(
        "UPDATE notifications_delivery SET state = ?, reason = ?, updated_at = ? WHERE id = ? AND state = ?",
        [state.value, (report.reason or "")[:64] or None, needs.clock.now(), delivery_id, DeliveryState.SENT.value],
    )


@transactional
async def _ask_again(needs: Needs, delivery_id: str, attempt: int) -> None:
    """The next question, once: a question asked again after a crash does not double those to come."""
    counted = await execute(
        "UPDATE notifications_delivery SET receipt_checks = ? WHERE id = ? AND receipt_checks = ?",
        [attempt, delivery_id, attempt - 1],
    )
    if counted == 1 and attempt < len(RECEIPT_AFTER):
        await needs.outbox.publish(ReceiptDue(delivery_id, attempt + 1), delay_seconds=RECEIPT_AFTER[attempt])
