"""Reading the merchant's keys and the platform's, with a clear sentence at start when one is wrong."""

from collections.abc import Mapping
from types import MappingProxyType

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from kit.wallets.errors import KeyProblemError

PlatformKeys = Mapping[str, RSAPublicKey]
"""The platform's keys that we trust, by the serial a signature names: `PUB_KEY_ID_...` or a certificate's."""

_PKCS8 = "-----BEGIN PRIVATE KEY-----"
_SPKI = "-----BEGIN PUBLIC KEY-----"
_LEAST_BITS = 2048
_APIV3_BYTES = 32


def merchant_key(pem: str) -> RSAPrivateKey:
    """Read the merchant's private key (`apiclient_key.pem`): RSA in unencrypted PKCS#8."""
    text = pem.strip()
    if text.startswith("-----BEGIN RSA PRIVATE KEY-----"):
        raise KeyProblemError(
            "the merchant key is PKCS#1; convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem"
        )
    if not text.startswith(_PKCS8):
        raise KeyProblemError(f"the merchant key is not unencrypted PKCS#8: it must begin with {_PKCS8}")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyProblemError("the merchant key is damaged") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise KeyProblemError(f"the merchant key is not RSA of at least {_LEAST_BITS} bits")
    return key


def platform_key(pem: str) -> RSAPublicKey:
    """Read a public key of the platform (`pub_key.pem`, downloaded from the merchant console)."""
    text = pem.strip()
    if not text.startswith(_SPKI):
        raise KeyProblemError(f"the platform key is no public key: it must begin with {_SPKI}")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblemError("the platform key is damaged") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise KeyProblemError(f"the platform key is not RSA of at least {_LEAST_BITS} bits")
    return key


def platform_keys(pems: Mapping[str, str]) -> PlatformKeys:
    """Read the platform's keys by serial; at least one is needed, several while the platform changes keys."""
    if not pems or not all(pems):
        raise KeyProblemError("name at least one platform key, each with its serial")
    return MappingProxyType({serial: platform_key(pem) for serial, pem in pems.items()})


def apiv3_key(text: str) -> str:
    """Check that the APIv3 key has its 32 bytes."""
    if len(text.encode()) != _APIV3_BYTES:
        raise KeyProblemError(f"the APIv3 key has {_APIV3_BYTES} bytes, this one has {len(text.encode())}")
    return text
