from collections.abc import Callable

from tortoise.exceptions import IntegrityError

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.db import transactional
from kit.ids import new_id
from kit.inbox.models import InboxMessage
from kit.outbox import Event, Outbox

LONGEST_EXTERNAL_ID = 128
_AT = "kit_inbox.body_sealed"


async def receive(
    outbox: Outbox,
    cipher: Cipher,
    clock: Clock,
    *,
    system: str,
    external_id: str,
    body: bytes,
    announce: Callable[[str], Event],
) -> bool:
    """Keep a verified message once and publish `announce(inbox id)`; False when it was here already.

    `external_id` is the sender's own unique id of the message, 1 to 128 characters; ValueError for any other.
    """
    if not 1 <= len(external_id) <= LONGEST_EXTERNAL_ID:
        raise ValueError("a message needs its sender's own id, of at most 128 characters")
    try:
        await _store(outbox, cipher, clock, system, external_id, body, announce)
    except IntegrityError:
        if not await InboxMessage.filter(system=system, external_id=external_id).exists():
            raise  # it was another constraint: the message is not here, and must not be acknowledged
        return False
    return True


@transactional
async def _store(
    outbox: Outbox,
    cipher: Cipher,
    clock: Clock,
    system: str,
    external_id: str,
    body: bytes,
    announce: Callable[[str], Event],
) -> None:
    inbox_id = new_id()
    await InboxMessage.create(
        id=inbox_id,
        system=system,
        external_id=external_id,
        body_sealed=cipher.seal_bytes(body, (_AT, inbox_id)),
        received_at=clock.now(),
    )
    await outbox.publish(announce(inbox_id))


async def open_body(cipher: Cipher, *, inbox_id: str) -> bytes:
    """The raw bytes of a message kept before."""
    message = await InboxMessage.get(id=inbox_id)
    return cipher.open_bytes(bytes(message.body_sealed), (_AT, inbox_id))
