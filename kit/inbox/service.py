from kit.crypto.cipher import Cipher
from kit.inbox.gathering import BODY_AT
from kit.inbox.models import InboxMessage


async def open_body(cipher: Cipher, *, inbox_id: str) -> bytes:
    """The raw bytes of a message kept before."""
    message = await InboxMessage.get(id=inbox_id)
    return cipher.open_bytes(bytes(message.body_sealed), (BODY_AT, inbox_id))
