from collections.abc import Mapping
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from notifications.errors import MessageNotFound
from notifications.events import DeliveryQueued
from notifications.models import Delivery, Message
from notifications.ports import Needs
from notifications.rules import INBOX, DeliveryState, fitted

PARAMS_AT = "notifications_message.params_sealed"


async def tell(needs: Needs, *, recipient: str, template: str, params: Mapping[str, str], dedupe_key: str) -> bool:
    """Put a message into the recipient's inbox and queue it for every channel; False when this was told before.

    `dedupe_key` names the occasion, at most 191 characters. ValueError for an unknown template, a missing param, or a
    time that is not written as `kit.clock.time_text` writes it.
    """
    if template not in needs.templates:
        raise ValueError(f"there is no template {template}")
    fitted(needs.templates[template].render(params).fields)  # now, when its author learns of it, and not at delivery
    try:
        return await _tell(needs, recipient, template, params, dedupe_key)
    except IntegrityError:  # another worker told it meanwhile
        return False


@transactional
async def _tell(needs: Needs, recipient: str, template: str, params: Mapping[str, str], dedupe_key: str) -> bool:
    if await Message.exists(dedupe_key=dedupe_key):
        return False
    now = needs.clock.now()
    message_id = new_id()
    await Message.create(
        id=message_id,
        recipient=recipient,
        template=template,
        params_sealed=needs.cipher.seal_json(dict(params), (PARAMS_AT, message_id)),
        dedupe_key=dedupe_key,
        created_at=now,
    )
    await _delivery(message_id, INBOX, now, state=DeliveryState.SENT, receipt=message_id)
    for channel in needs.channels:
        delivery_id = await _delivery(message_id, channel, now, state=DeliveryState.QUEUED, receipt=None)
        await needs.outbox.publish(DeliveryQueued(delivery_id))
    return True


async def _delivery(message_id: str, channel: str, now: datetime, *, state: DeliveryState, receipt: str | None) -> str:
    delivery_id = new_id()
    await Delivery.create(
        id=delivery_id,
        message_id=message_id,
        channel=channel,
        state=state.value,
        receipt=receipt,
        created_at=now,
        updated_at=now,
    )
    return delivery_id


@transactional
async def mark_read(needs: Needs, *, recipient: str, message_id: str, key: RequestKey | None = None) -> str:
    """Remember when the recipient first read the message; MESSAGE_NOT_FOUND also for another's."""
    message = await Message.filter(id=message_id, recipient=recipient).select_for_update().get_or_none()
    if message is None:
        raise MessageNotFound
    if message.read_at is None:
        message.read_at = needs.clock.now()
        await message.save(update_fields=["read_at"])
    if key is not None:
        await key.settle(result_id=message_id, status=200)
    return message_id
