"""The signature our own partners use: Ed25519 over method, path, time, nonce and the body's SHA-256."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

WINDOW_SECONDS = 300
KEY_ID, TIMESTAMP, NONCE, SIGNATURE = "Yc-Key-Id", "Yc-Timestamp", "Yc-Nonce", "Yc-Signature"


class BadSignature(Exception):
    """The request is not from whom it says, or is stale; the text is for the log, not for the sender."""


def canonical(method: str, path: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What is signed; `path` includes the query string as sent."""
    return _canonical(method, path, timestamp, nonce, hashlib.sha256(body).hexdigest())


def _canonical(method: str, path: str, timestamp: str, nonce: str, body_digest: str) -> bytes:
    return f"{method}\n{path}\n{timestamp}\n{nonce}\n{body_digest}\n".encode()


class RequestSigner:
    """Signs what we send."""

    def __init__(self, key_id: str, private_key_pem: bytes) -> None:
        key = load_pem_private_key(private_key_pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("a partner key must be Ed25519")
        self._key_id = key_id
        self._key = key

    def headers(self, method: str, path: str, body: bytes, *, now: datetime) -> dict[str, str]:
        timestamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
        signature = self._key.sign(canonical(method, path, timestamp, nonce, body))
        return {
            KEY_ID: self._key_id,
            TIMESTAMP: timestamp,
            NONCE: nonce,
            SIGNATURE: base64.b64encode(signature).decode(),
        }


class RequestVerifier:
    """Verifies what arrives; replays within the window are stopped by the inbox's unique external id."""

    def __init__(self, public_keys_pem: Mapping[str, bytes]) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        for key_id, pem in public_keys_pem.items():
            key = load_pem_public_key(pem)
            if not isinstance(key, Ed25519PublicKey):
                raise TypeError("a partner key must be Ed25519")
            self._keys[key_id] = key

    def check(self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """The sender's key id; BadSignature when anything is missing, stale, unknown or wrong."""
        return self.check_streamed(method, path, headers, hashlib.sha256(body).hexdigest(), now=now)

    def check_streamed(
        self, method: str, path: str, headers: Mapping[str, str], body_digest: str, *, now: datetime
    ) -> str:
        """As `check`, before the body is read: whoever reads it then holds it against `body_digest` (SHA-256, hex)."""
        given = {name.lower(): value for name, value in headers.items()}
        try:
            key_id, timestamp, nonce = (given[name.lower()] for name in (KEY_ID, TIMESTAMP, NONCE))
            signature = base64.b64decode(given[SIGNATURE.lower()], validate=True)
            age = abs(int(now.timestamp()) - int(timestamp))
        except (KeyError, ValueError) as error:
            raise BadSignature("missing or unreadable header") from error
        if age > WINDOW_SECONDS:
            raise BadSignature("stale timestamp")
        key = self._keys.get(key_id)
        if key is None:
            raise BadSignature("unknown key id")
        try:
            key.verify(signature, _canonical(method, path, timestamp, nonce, body_digest))
        except InvalidSignature as error:
            raise BadSignature("wrong signature") from error
        return key_id
