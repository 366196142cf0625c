"""Messages to the platform, written with what they tell of; messages from it, out of the inbox."""

from collections.abc import Mapping
from typing import Any

from tortoise.exceptions import IntegrityError

from kit.db import transactional
from kit.ids import new_id
from kit.inbox import open_body
from server.registry.events import MessageQueued
from server.registry.models import RegistryMessage
from server.registry.ports import Needs
from server.registry.rules import MessageState
from server.registry.sealed import MESSAGE_BODY
from server.terms.messages import DownMessage, UpMessage


async def tell(needs: Needs, *, kind: str, subject: str, application_id: str, body: Mapping[str, Any]) -> str:
    """Queue a message in the caller's transaction and answer its id; `subject` is unique per kind."""
    message_id = new_id()
    await RegistryMessage.create(
        id=message_id,
        kind=kind,
        subject=subject,
        application_id=application_id,
        body_sealed=needs.cipher.seal_json(body, (MESSAGE_BODY, message_id)),
        state=MessageState.QUEUED,
        created_at=needs.clock.now(),
    )
    await needs.outbox.publish(MessageQueued(message_id, application_id or subject[:32]))
    return message_id


async def queue_message(needs: Needs, *, kind: str, subject: str, application_id: str, body: Mapping[str, Any]) -> None:
    """Queue a message in a transaction of its own; the same kind and subject again is not queued twice."""
    if await RegistryMessage.exists(kind=kind, subject=subject):
        return
    try:
        await _queue(needs, kind=kind, subject=subject, application_id=application_id, body=body)
    except IntegrityError:
        # Somebody else queued it meanwhile; anything else that breaks a constraint is still an error.
        if not await RegistryMessage.exists(kind=kind, subject=subject):
            raise


@transactional
async def _queue(needs: Needs, *, kind: str, subject: str, application_id: str, body: Mapping[str, Any]) -> None:
    await tell(needs, kind=kind, subject=subject, application_id=application_id, body=body)


async def send_message(needs: Needs, *, message_id: str) -> None:
    """Send a queued message down; again after a crash, under the same id. Raises OutsideError."""
    row = await RegistryMessage.get(id=message_id)
    if row.state == MessageState.SENT:
        return
    body = needs.cipher.open_json(row.body_sealed, (MESSAGE_BODY, row.id))
    await needs.platform.send(DownMessage(row.id, row.kind, row.application_id, row.created_at, body))
    await _mark_sent(needs, message_id=message_id)


@transactional
async def _mark_sent(needs: Needs, *, message_id: str) -> None:
    await RegistryMessage.filter(id=message_id).update(state=MessageState.SENT, sent_at=needs.clock.now())


async def open_up(needs: Needs, *, inbox_id: str) -> UpMessage:
    """A message from the platform as it lies in the inbox; raises Permanent when it cannot be read."""
    return needs.codec.decode_up(await open_body(needs.cipher, inbox_id=inbox_id))
