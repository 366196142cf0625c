"""Content encrypted with the app's AES key: AES-CBC with an all-zero IV and PKCS#7, as Alipay fixed it."""

import binascii
from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from kit.wallets.alipay.signing import verify
from kit.wallets.transport import json_object

_BLOCK_BITS = 128
_IV = bytes(16)  # theirs: the signature over the ciphertext, not the mode, is what protects it
_LARGEST = 64 * 1024
_SUCCESS = "10000"


class BadContentError(Exception):
    """The content is not Alipay's, or not sealed for us; `reason` is a stable word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encrypt(key: bytes, text: str) -> str:
    """Encrypt UTF-8 text; answers base64."""
    padder = PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(AES(key), CBC(_IV)).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(key: bytes, text: str) -> str:
    """Decrypt base64 to UTF-8 text; raise BadContentError. Verify the signature first: nothing else tells a forgery."""
    if len(text) > _LARGEST:
        raise BadContentError("too_large")
    try:
        decryptor = Cipher(AES(key), CBC(_IV)).decryptor()
        padded = decryptor.update(b64decode(text, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (ValueError, binascii.Error):
        raise BadContentError("undecipherable") from None


def open_phone(response: str, sign: str, public_key: RSAPublicKey, key: bytes) -> str:
    """Open what `my.getPhoneNumber` gave the phone: verify, decrypt, and answer the number; raise BadContentError.

    The signature covers the ciphertext in double quotes, as it stood in Alipay's own JSON. Neither it nor the
    content names a person or a time: whoever holds the pair can bring it again.
    """
    if len(response) > _LARGEST:
        raise BadContentError("too_large")
    if not verify(public_key, f'"{response}"'.encode(errors="replace"), sign):
        raise BadContentError("bad_signature")
    opened = json_object(decrypt(key, response).encode())
    if opened is None:
        raise BadContentError("unreadable")
    mobile = opened.get("mobile")
    if opened.get("code") != _SUCCESS or not isinstance(mobile, str) or not mobile:
        raise BadContentError("refused")
    return mobile
