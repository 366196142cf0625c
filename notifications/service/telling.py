from collections.abc import Collection, Mapping
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from notifications.errors import MessageNotFound
from notifications.events import DeliveryQueued
from notifications.models import PARAMS_AT, Delivery, Message
from notifications.ports import Needs
from notifications.rules import INBOX, DeliveryState, Skipped, fitted_for, ways
from notifications.templates import Template


async def tell(
    needs: Needs,
    *,
    recipient: str,
    template: str,
    params: Mapping[str, str],
    dedupe_key: str,
    district: str = "",
    not_by: Collection[str] = (),
) -> bool:
    """Put a message into the recipient's inbox and queue it for the first channel; False when this was told before.

    `dedupe_key` names the occasion, at most 191 characters. `district` is whose words it is told in. `not_by` are
    channels that the message does not go by. ValueError for an unknown template, a missing param, or a time that is not
    written as `kit.clock.time_text` writes it.
    """
    words = await needs.templates.in_force(template, district=district, now=needs.clock.now())
    for channel, fields in words.render(params).channels.items():
        fitted_for(channel, fields, needs.limits)  # now, when its author learns of it, and not at delivery
    used = await needs.addresses.wallets(recipient)
    first = next((way for way in ways(used, needs.channels, template=words) if way not in not_by), None)
    try:
        return await _tell(needs, recipient, words, params, dedupe_key, first, not_by)
    except IntegrityError:  # another worker told it meanwhile
        return False


@transactional
async def _tell(
    needs: Needs,
    recipient: str,
    words: Template,
    params: Mapping[str, str],
    dedupe_key: str,
    first: str | None,
    not_by: Collection[str],
) -> bool:
    if await Message.exists(dedupe_key=dedupe_key):
        return False
    now = needs.clock.now()
    message_id = new_id()
    await Message.create(
        id=message_id,
        recipient=recipient,
        template=words.code,
        template_version=words.version,
        params_sealed=needs.cipher.seal_json(dict(params), (PARAMS_AT, message_id)),
        dedupe_key=dedupe_key,
        created_at=now,
    )
    await _delivery(message_id, INBOX, now, state=DeliveryState.SENT, receipt=message_id)
    for channel in sorted(not_by):  # a row for each: a way that has been gone is not taken later either
        await _delivery(message_id, channel, now, state=DeliveryState.SKIPPED, reason=Skipped.NOT_MEANT)
    if first is not None:
        await queue_delivery(needs, message_id=message_id, channel=first)
    return True


async def queue_delivery(needs: Needs, *, message_id: str, channel: str) -> None:
    """Have the message go out by this channel, in the caller's transaction."""
    now = needs.clock.now()
    delivery_id = await _delivery(message_id, channel, now, state=DeliveryState.QUEUED)
    await needs.outbox.publish(DeliveryQueued(delivery_id))


async def _delivery(
    message_id: str,
    channel: str,
    now: datetime,
    *,
    state: DeliveryState,
    receipt: str | None = None,
    reason: Skipped | None = None,
) -> str:
    delivery_id = new_id()
    await Delivery.create(
        id=delivery_id,
        message_id=message_id,
        channel=channel,
        state=state.value,
        receipt=receipt,
        reason=reason,
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
