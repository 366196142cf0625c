"""RSA2, Alipay's name for RSA with SHA-256 (PKCS#1 v1.5), and what it covers."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping

from alipay.aop.api.util.SignatureUtils import get_sign_content
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from kit.clock import Clock, to_shanghai

_LONGEST_SIGNATURE = 1024


def sign_content(params: Mapping[str, str]) -> str:
    """Join every parameter but `sign` in the order of their names: raw `k=v&k=v`, `sign_type` included."""
    return str(get_sign_content({name: value for name, value in params.items() if name != "sign"}))


def verify(public_key: RSAPublicKey, content: bytes, signature_b64: str) -> bool:
    """Say whether `signature_b64` is that of `content`: SHA-256 and nothing weaker."""
    if len(signature_b64) > _LONGEST_SIGNATURE:
        return False
    try:
        public_key.verify(b64decode(signature_b64, validate=True), content, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


class AppSigner:
    """Signs with the app's key; the time is the house's clock as Alipay reads it, in Beijing."""

    def __init__(self, app_id: str, key: RSAPrivateKey, clock: Clock) -> None:
        self.app_id = app_id
        self._key = key
        self._clock = clock

    def signed(self, params: Mapping[str, str]) -> dict[str, str]:
        """Add the common parameters and the signature over all of them."""
        full = {
            **params,
            "app_id": self.app_id,
            "charset": "utf-8",
            "format": "json",
            "sign_type": "RSA2",
            "timestamp": f"{to_shanghai(self._clock.now()):%Y-%m-%d %H:%M:%S}",
        }
        return {**full, "sign": self.sign(sign_content(full).encode())}

    def sign(self, content: bytes) -> str:
        return b64encode(self._key.sign(content, PKCS1v15(), SHA256())).decode()
