"""Delivering: at least once. The consent is spent, and written down on the delivery, before the channel is called.

If the process dies between the channel's acceptance and our note of it, the delivery is sent again: a message twice is
better than a message lost, and wallets give no way to ask whether one went out. What is deduplicated is the record: an
occasion makes one message, a message one delivery per channel, a delivery spends one consent, however often it is run.

A delivery that ends without having reached anybody queues the next channel's in the same transaction, so that a crash
neither loses the next nor makes two of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from kit.allowance.service import give_back as give_allowance_back
from kit.allowance.service import take
from kit.db import transactional
from kit.errors import OutsideError
from kit.log import get_logger
from notifications.events import ReceiptDue
from notifications.models import PARAMS_AT, Delivery
from notifications.ports import Channel, ConsentRefused, Needs, Outgoing
from notifications.rules import RECEIPT_AFTER, SMS, Agreement, DeliveryState, Skipped, fitted_for, ways
from notifications.service.consents import forget, give_back, spend
from notifications.service.telling import queue_delivery
from notifications.templates import Template

TEXTS = "notifications.texts"
"""The allowance of text messages, by recipient: whoever books and cancels all day spends the city's money."""
_DAY = timedelta(days=1)
log = get_logger("notifications")


@dataclass(frozen=True, slots=True)
class _Queued:
    """A delivery, copied out of reach of any transaction; `others` are the ways that the message may take in all."""

    id: str
    message_id: str
    recipient: str
    channel: str
    template: Template
    params: dict[str, str]
    others: Sequence[str]


async def deliver(needs: Needs, *, delivery_id: str) -> None:
    """Send one queued delivery; a transient OutsideError passes through, so that it is tried again.

    Nobody reachable or no consent ends as `skipped`, a refusal for good as `failed`; then the next channel is tried.
    """
    queued = await _open(needs, delivery_id)
    if queued is None:
        return
    channel = needs.channels.get(queued.channel)
    if channel is None or channel.template_id(queued.template.code) is None:
        await _end(needs, queued, DeliveryState.SKIPPED, reason=Skipped.NO_TEMPLATE)
        return
    address = await needs.addresses.address(queued.recipient, queued.channel)
    if address is None:
        await _end(needs, queued, DeliveryState.SKIPPED, reason=Skipped.NO_ADDRESS)
        return
    if queued.channel == SMS and not await _may_text(needs, queued):
        log.warning("texts_used_up", delivery=queued.id)
        return
    if await _may_send(needs, channel, queued):
        await _send(needs, channel, queued, address)


async def _open(needs: Needs, delivery_id: str) -> _Queued | None:
    delivery = await Delivery.get(id=delivery_id).select_related("message")
    if delivery.state != DeliveryState.QUEUED:
        return None
    message = delivery.message
    template = await needs.templates.of(message.template, message.template_version)
    used = await needs.addresses.wallets(message.recipient)
    return _Queued(
        id=delivery.id,
        message_id=message.id,
        recipient=message.recipient,
        channel=delivery.channel,
        template=template,
        params=needs.cipher.open_json(message.params_sealed, (PARAMS_AT, message.id)),
        others=ways(used, needs.channels, template=template),
    )


@transactional
async def _may_text(needs: Needs, queued: _Queued) -> bool:
    """Count the text message before it is sent, a repetition of it not again; what is one too many ends here."""
    delivery = await Delivery.select_for_update().get(id=queued.id)
    if await take(
        kind=TEXTS,
        owner=queued.recipient,
        subjects={queued.id},
        most=needs.limits.sms_day,
        within=_DAY,
        now=needs.clock.now(),
    ):
        return True
    await _note(needs, delivery, queued, DeliveryState.SKIPPED, reason=Skipped.TOO_MANY)
    return False


async def _may_send(needs: Needs, channel: Channel, queued: _Queued) -> bool:
    """Whether the person agreed; what has to be spent for that is spent now."""
    return channel.agreement(queued.template.code) is Agreement.NONE or await _spend_consent(needs, queued)


@transactional
async def _spend_consent(needs: Needs, queued: _Queued) -> bool:
    delivery = await Delivery.select_for_update().get(id=queued.id)
    if delivery.consent_spent:
        return True
    if not await spend(needs, recipient=queued.recipient, template=queued.template.code, channel=queued.channel):
        await _note(needs, delivery, queued, DeliveryState.SKIPPED, reason=Skipped.NO_CONSENT)
        return False
    delivery.consent_spent = True
    await delivery.save(update_fields=["consent_spent"])
    return True


async def _send(needs: Needs, channel: Channel, queued: _Queued, address: str) -> None:
    rendered = queued.template.render(queued.params)
    fields = fitted_for(queued.channel, rendered.channels[queued.channel], needs.limits)
    message = Outgoing(address, queued.template.code, fields, rendered.page, reference=queued.id)
    try:
        receipt = await channel.send(message)
    except ConsentRefused:
        await _end_without_consent(needs, queued)
        return
    except OutsideError as error:
        if not error.permanent:
            raise
        log.warning("delivery_failed", channel=queued.channel, delivery=queued.id, error_code=error.code)
        await _end_refused(needs, queued, error.code)
        return
    await _end(needs, queued, DeliveryState.SENT, receipt=receipt)


@transactional
async def _end(
    needs: Needs, queued: _Queued, state: DeliveryState, *, reason: str | None = None, receipt: str | None = None
) -> None:
    delivery = await Delivery.select_for_update().get(id=queued.id)
    await _note(needs, delivery, queued, state, reason=reason, receipt=receipt)


@transactional
async def _end_without_consent(needs: Needs, queued: _Queued) -> None:
    await forget(needs, recipient=queued.recipient, template=queued.template.code, channel=queued.channel)
    delivery = await Delivery.select_for_update().get(id=queued.id)
    await _note(needs, delivery, queued, DeliveryState.SKIPPED, reason=Skipped.NO_CONSENT)


@transactional
async def _end_refused(needs: Needs, queued: _Queued, code: str) -> None:
    delivery = await Delivery.select_for_update().get(id=queued.id)
    if delivery.consent_spent and delivery.state == DeliveryState.QUEUED:
        await give_back(needs, recipient=queued.recipient, template=queued.template.code, channel=queued.channel)
    if queued.channel == SMS and delivery.state == DeliveryState.QUEUED:
        await give_allowance_back(kind=TEXTS, owner=queued.recipient, subject=queued.id)
    await _note(needs, delivery, queued, DeliveryState.FAILED, reason=code)


async def _note(
    needs: Needs,
    delivery: Delivery,
    queued: _Queued,
    state: DeliveryState,
    *,
    reason: str | None = None,
    receipt: str | None = None,
) -> None:
    """Write down how a locked delivery ended, with what follows from it; nothing when it has ended before."""
    if delivery.state != DeliveryState.QUEUED:
        return
    delivery.state = state.value
    delivery.reason = reason[:64] if reason else None
    delivery.receipt = receipt[:128] if receipt else None
    delivery.updated_at = needs.clock.now()
    await delivery.save(update_fields=["state", "reason", "receipt", "updated_at"])
    if state is not DeliveryState.SENT:
        await _queue_next(needs, queued)
    elif queued.channel in needs.receipts:
        await needs.outbox.publish(ReceiptDue(delivery.id, attempt=1), delay_seconds=RECEIPT_AFTER[0])


async def _queue_next(needs: Needs, queued: _Queued) -> None:
    tried = {row.channel for row in await Delivery.filter(message_id=queued.message_id).only("id", "channel")}
    following = next((channel for channel in queued.others if channel not in tried), None)
    if following is not None:
        await queue_delivery(needs, message_id=queued.message_id, channel=following)
