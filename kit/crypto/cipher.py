"""Personal data sealed for its place (AES-256-GCM), and the keyed indexes that find it again."""

import base64
import binascii
import hmac
import secrets
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.crypto.keys import BLIND, KeyRing, UnknownKey

Place = tuple[str, str]  # ("table.column", row id): what was sealed for one place does not open in another

_NONCE_BYTES = 12
_TAG_BYTES = 16


class Unsealable(Exception):
    """The token is damaged, sealed for another place, or under a key that is gone; never says which text."""


class Cipher:
    """Seals under the ring's current key and opens under any of its keys.

    A text token is `<key_id>.<base64url of nonce, ciphertext, tag>`; a bytes token has the same parts
    unencoded.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._aead: dict[str, AESGCM] = {}

    @property
    def current_key_id(self) -> str:
        """The key id that new tokens carry; rotation re-seals tokens that carry another."""
        return self._ring.current

    def seal(self, text: str, at: Place) -> str:
        key_id = self._ring.current
        sealed = base64.urlsafe_b64encode(self._seal(key_id, text.encode(), at)).rstrip(b"=")
        return f"{key_id}.{sealed.decode()}"

    def open(self, token: str, at: Place) -> str:
        """Raise Unsealable for any token that `seal` did not make for this place."""
        key_id, dot, encoded = token.partition(".")
        if not dot:
            raise Unsealable("not a token")
        try:
            sealed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Unsealable("not base64url") from None
        return self._open(key_id, sealed, at).decode()

    def seal_bytes(self, data: bytes, at: Place) -> bytes:
        key_id = self._ring.current
        return f"{key_id}.".encode() + self._seal(key_id, data, at)

    def open_bytes(self, token: bytes, at: Place) -> bytes:
        """Raise Unsealable for any token that `seal_bytes` did not make for this place."""
        key_id, dot, sealed = token.partition(b".")
        if not dot or not key_id.isascii():
            raise Unsealable("not a token")
        return self._open(key_id.decode(), sealed, at)

    def seal_json(self, value: Any, at: Place) -> str:
        """Seal whatever orjson can write."""
        return self.seal(orjson.dumps(value).decode(), at)

    def open_json(self, token: str, at: Place) -> Any:
        """Raise Unsealable for any token that `seal_json` did not make for this place."""
        return orjson.loads(self.open(token, at))

    def blind(self, value: str, *, purpose: str) -> str:
        """Give the index of a value under one purpose (64 hex): equal values, equal index, for ever.

        The caller brings the value into its one spelling first.
        """
        return self._keyed("blind", purpose, value.encode())

    def digest_keyed(self, data: bytes, *, purpose: str) -> str:
        """Digest data whose plain digest could be guessed back, 64 hex characters; stable across rotation."""
        return self._keyed("body-digest", purpose, data)

    def _keyed(self, label: str, purpose: str, data: bytes) -> str:
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        message = len(purpose).to_bytes(2, "big") + purpose.encode() + data
        return hmac.digest(self._ring.sub_key(BLIND, label), message, "sha256").hex()

    def _seal(self, key_id: str, data: bytes, at: Place) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._gcm(key_id).encrypt(nonce, data, _associated(at))

    def _open(self, key_id: str, sealed: bytes, at: Place) -> bytes:
        if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
            raise Unsealable("too short")
        try:
            gcm = self._gcm(key_id)
            return gcm.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _associated(at))
        except UnknownKey:
            raise Unsealable("no such key") from None
        except InvalidTag:
            raise Unsealable(f"does not open at {at[0]}") from None

    def _gcm(self, key_id: str) -> AESGCM:
        found = self._aead.get(key_id)
        if found is None:
            if key_id == BLIND:
                raise UnknownKey(key_id)
            found = self._aead[key_id] = AESGCM(self._ring.sub_key(key_id, "aead"))
        return found


def key_id_of(token: str | bytes) -> str:
    """Say under which key a token was sealed; Unsealable if it is no token."""
    text = token if isinstance(token, str) else token[:64].decode("latin-1")
    key_id, dot, _ = text.partition(".")
    if not dot:
        raise Unsealable("not a token")
    return key_id


def _associated(at: Place) -> bytes:
    return f"{at[0]}:{at[1]}".encode()
