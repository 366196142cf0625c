"""Messages on their way: over one channel after the other, and what became of them."""

from notifications import service as notifications
from notifications.events import DeliveryQueued, ReceiptDue
from server.journeys.house import House


async def deliver(house: House, event: DeliveryQueued) -> None:
    """Send a message over one channel."""
    await notifications.deliver(house.notifications, delivery_id=event.delivery_id)


async def record_receipt(house: House, event: ReceiptDue) -> None:
    """Ask what became of a message that was sent."""
    await notifications.record_receipt(house.notifications, delivery_id=event.delivery_id, attempt=event.attempt)
