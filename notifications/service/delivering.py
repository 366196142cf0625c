"""Delivering: at least once. The consent is spent, and written down on the delivery, before the channel is called.

If the process dies between the channel's acceptance and our note of it, the delivery is sent again: a message twice is
better than a message lost, and wallets give no way to ask whether one went out. What is deduplicated is the record: an
occasion makes one message, a message one delivery per channel, a delivery spends one consent, however often it is run.
"""

from dataclasses import dataclass

from kit.db import transactional
from kit.errors import OutsideError
from kit.log import get_logger
from notifications.models import Delivery
from notifications.ports import Channel, ConsentRefused, Needs, Outgoing
from notifications.rules import DeliveryState, Skipped, fitted
from notifications.service.consents import forget, give_back, spend
from notifications.service.telling import PARAMS_AT

log = get_logger("notifications")


@dataclass(frozen=True, slots=True)
class _Queued:
    """A delivery, copied out of reach of any transaction."""

    id: str
    recipient: str
    template: str
    channel: str
    params: dict[str, str]


async def deliver(needs: Needs, *, delivery_id: str) -> None:
    """Send one queued delivery; a transient OutsideError passes through, so that it is tried again.

    Nobody reachable or no consent ends as `skipped`, a refusal for good as `failed`.
    """
    queued = await _open(needs, delivery_id)
    if queued is None:
        return
    channel = needs.channels.get(queued.channel)
    if channel is None or channel.template_id(queued.template) is None:
        await _end(needs, queued, DeliveryState.SKIPPED, reason=Skipped.NO_TEMPLATE)
        return
    address = await needs.addresses.address(queued.recipient, queued.channel)
    if address is None:
        await _end(needs, queued, DeliveryState.SKIPPED, reason=Skipped.NO_ADDRESS)
        return
    if await _spend_consent(needs, queued):
        await _send(needs, channel, queued, address)


async def _open(needs: Needs, delivery_id: str) -> _Queued | None:
    delivery = await Delivery.get(id=delivery_id).select_related("message")
    if delivery.state != DeliveryState.QUEUED:
        return None
    message = delivery.message
    return _Queued(
        id=delivery.id,
        recipient=message.recipient,
        template=message.template,
        channel=delivery.channel,
        params=needs.cipher.open_json(message.params_sealed, (PARAMS_AT, message.id)),
    )


@transactional
async def _spend_consent(needs: Needs, queued: _Queued) -> bool:
    delivery = await Delivery.select_for_update().get(id=queued.id)
    if delivery.consent_spent:
        return True
    if not await spend(needs, recipient=queued.recipient, template=queued.template, channel=queued.channel):
        await _note(needs, delivery, DeliveryState.SKIPPED, reason=Skipped.NO_CONSENT)
        return False
    delivery.consent_spent = True
    await delivery.save(update_fields=["consent_spent"])
    return True


async def _send(needs: Needs, channel: Channel, queued: _Queued, address: str) -> None:
    rendered = needs.templates[queued.template].render(queued.params)
    message = Outgoing(address, queued.template, fitted(rendered.fields), rendered.page)
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
    await _note(needs, await Delivery.select_for_update().get(id=queued.id), state, reason=reason, receipt=receipt)


@transactional
async def _end_without_consent(needs: Needs, queued: _Queued) -> None:
    await forget(needs, recipient=queued.recipient, template=queued.template, channel=queued.channel)
    delivery = await Delivery.select_for_update().get(id=queued.id)
    await _note(needs, delivery, DeliveryState.SKIPPED, reason=Skipped.NO_CONSENT)


@transactional
async def _end_refused(needs: Needs, queued: _Queued, code: str) -> None:
    await give_back(needs, recipient=queued.recipient, template=queued.template, channel=queued.channel)
    await _note(needs, await Delivery.select_for_update().get(id=queued.id), DeliveryState.FAILED, reason=code)


async def _note(
    needs: Needs, delivery: Delivery, state: DeliveryState, *, reason: str | None = None, receipt: str | None = None
) -> None:
    delivery.state = state.value
    delivery.reason = reason[:64] if reason else None
    delivery.receipt = receipt[:128] if receipt else None
    delivery.updated_at = needs.clock.now()
    await delivery.save(update_fields=["state", "reason", "receipt", "updated_at"])
