"""What WeChat Pay seals with the merchant's APIv3 key."""

from collections.abc import Mapping
from typing import Any

from wechatpayv3.utils import aes_decrypt

from kit.wallets.transport import json_object

ALGORITHM = "AEAD_AES_256_GCM"
_NONCE_CHARS = 12  # bytes, as it is ASCII


class BadResourceError(Exception):
    """The resource was not sealed with our key, or is no sealed JSON object at all."""


def open_resource(resource: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Open a sealed `resource` (AES-256-GCM, associated data possibly empty); raise BadResourceError."""
    nonce, sealed = resource.get("nonce"), resource.get("ciphertext")
    # Absent, null and "" are the same here: no associated data.
    bound = resource.get("associated_data") or ""
    if resource.get("algorithm") != ALGORITHM or not all(isinstance(v, str) for v in (nonce, sealed, bound)):
        raise BadResourceError("not sealed as we know it")
    if len(str(nonce)) != _NONCE_CHARS:
        raise BadResourceError("the nonce has not 12 bytes")
    try:
        text = aes_decrypt(nonce, sealed, bound, key)
    except ValueError:
        text = None
    opened = json_object(text.encode()) if text else None
    if opened is None:
        raise BadResourceError("not sealed with our key, or no JSON object")
    return opened
