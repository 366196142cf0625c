"""What a phone or the platform hands over signed or encrypted: user data and pushed messages.

The decryption is wechatpy's. Its comparisons stop at the first wrong character and its errors are of many
kinds, so both are done here.
"""

import hmac
import struct
from hashlib import sha1
from typing import Any

from wechatpy.crypto import PrpCrypto, WeChatCrypto, WeChatWxaCrypto
from wechatpy.exceptions import WeChatException
from wechatpy.utils import WeChatSigner

_LARGEST = 64 * 1024
_BROKEN = (ValueError, KeyError, IndexError, TypeError, RecursionError, struct.error, WeChatException)


class BadDataError(Exception):
    """The data was not sealed for us, or not by WeChat; which of the two is not told."""


def decrypt_data(*, session_key: str, iv: str, encrypted_data: str, app_id: str) -> dict[str, Any]:
    """Open `encryptedData` (AES-128-CBC) and check that its watermark names `app_id`; raise BadDataError."""
    if len(encrypted_data) > _LARGEST:
        raise BadDataError
    try:
        opened = WeChatWxaCrypto(session_key, iv, app_id).decrypt_message(encrypted_data)
    except _BROKEN:
        raise BadDataError from None
    return dict(opened)


def raw_data_signed(*, session_key: str, raw_data: str, signature: str) -> bool:
    """Say whether `signature` is that of `rawData` under the session key: SHA-1 over both."""
    expected = sha1((raw_data + session_key).encode(), usedforsecurity=False).hexdigest()
    return _same(expected, signature)


class PushCrypto:
    """Checks and opens what the platform pushes; `encoding_aes_key` is the 43 characters of the console.

    Raises ValueError when the key is none.
    """

    def __init__(self, token: str, encoding_aes_key: str, app_id: str) -> None:
        try:
            self._key = WeChatCrypto(token, encoding_aes_key, app_id).key
        except (ValueError, AssertionError):
            raise ValueError("the push key is 43 characters of base64") from None
        self._token = token
        self._app_id = app_id

    def url_signed(self, *, signature: str, timestamp: str, nonce: str) -> bool:
        """Say whether the query of a push, or of the platform's first visit, is signed with our token."""
        return _same(self._signature(timestamp, nonce), signature)

    def open(self, *, encrypted: str, msg_signature: str, timestamp: str, nonce: str) -> str:
        """Return the text in a push's `Encrypt`; raise BadDataError."""
        if len(encrypted) > _LARGEST:
            raise BadDataError
        if not _same(self._signature(timestamp, nonce, encrypted), msg_signature):
            raise BadDataError
        try:
            return str(PrpCrypto(self._key).decrypt(encrypted, self._app_id))
        except _BROKEN:
            raise BadDataError from None

    def _signature(self, *parts: str) -> str:
        signer = WeChatSigner()
        signer.add_data(self._token, *parts)
        return str(signer.signature)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
