"""Reading the app's key and Alipay's, with a clear sentence at start when one is wrong."""

import binascii
from base64 import b64decode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key, load_pem_public_key

from kit.wallets.errors import KeyProblemError

_LEAST_BITS = 2048
_AES_BYTES = frozenset({16, 24, 32})


def app_key(pem: str) -> RSAPrivateKey:
    """Read the app's private key, an unencrypted PEM in PKCS#8 or PKCS#1; raise KeyProblemError."""
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyProblemError("the app's key is no unencrypted PEM private key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise KeyProblemError(f"the app's key is not RSA of at least {_LEAST_BITS} bits")
    return key


def alipay_public_key(pem: str) -> RSAPublicKey:
    """Read Alipay's public key, as PEM or as the bare base64 that the console shows; raise KeyProblemError.

    The console shows the app's own public key beside it: mixing the two is found out only by the first answer.
    """
    text = pem.strip()
    try:
        key = (
            load_pem_public_key(text.encode())
            if text.startswith("-----")
            else load_der_public_key(b64decode("".join(text.split()), validate=True))
        )
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise KeyProblemError("Alipay's key is no public key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise KeyProblemError(f"Alipay's key is not RSA of at least {_LEAST_BITS} bits")
    return key


def aes_key(text: str) -> bytes:
    """Read the app's AES key as the console shows it: base64 of 16, 24 or 32 bytes; raise KeyProblemError."""
    try:
        key = b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        raise KeyProblemError("the AES key is no base64") from None
    if len(key) not in _AES_BYTES:
        raise KeyProblemError(f"the AES key has {len(key)} bytes, not 16, 24 or 32")
    return key
