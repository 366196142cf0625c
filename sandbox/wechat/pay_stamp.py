"""What every notification of WeChat Pay carries: a resource sealed for the merchant, a signature over the body."""

import json
import secrets
import string
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from sandbox.answers import compact
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Forgery
from sandbox.signing import WECHAT_PAY_SCHEME, gcm_encrypt, pay_answer_message, rsa_sign

_MINUTE, _HOUR = 60, 3600
# 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h: 24 h 4 min in all.
SCHEDULE = (
    *(15, 15, 30, 3 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 3 * _HOUR, 3 * _HOUR, 6 * _HOUR, 6 * _HOUR),
)
ACKNOWLEDGED = frozenset({200, 204})
_NONCE_ALPHABET = string.ascii_letters + string.digits


class Stamp:
    def __init__(self, *, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._stranger: RSAPrivateKey | None = None

    def notification(
        self, content: dict[str, Any], *, event_type: str, summary: str, original_type: str, at: str
    ) -> bytes:
        """Its id follows from what is told: the same after a restart, and another for a falsehood."""
        nonce = "".join(secrets.choice(_NONCE_ALPHABET) for _ in range(12))
        ciphertext = gcm_encrypt(
            self._keys.apiv3_key, nonce=nonce, associated_data=original_type, plaintext=compact(content)
        )
        body = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))),
            "create_time": at,
            "event_type": event_type,
            "resource_type": "encrypt-resource",
            "summary": summary,
            "resource": {
                "original_type": original_type,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": original_type,
                "nonce": nonce,
            },
        }
        return compact(body)

    def sign(self, body: bytes, _url: str, forgery: Forgery) -> dict[str, str]:
        timestamp = str(self._clock.timestamp() - forgery.stale_seconds)
        nonce = secrets.token_hex(16)
        key = self._strangers_key() if forgery.wrong_key else self._keys.wechatpay_key
        signature = rsa_sign(key, pay_answer_message(timestamp=timestamp, nonce=nonce, body=body))
        if forgery.signtest:
            # WeChat Pay probes merchants with signatures of this form that must be refused.
            signature = f"WECHATPAY/SIGNTEST/{signature}"
        return {
            "Content-Type": "application/json",
            "Wechatpay-Serial": self._keys.wechatpay_public_key_id,
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Signature-Type": WECHAT_PAY_SCHEME,
        }

    def _strangers_key(self) -> RSAPrivateKey:
        if self._stranger is None:
            self._stranger = generate_private_key(public_exponent=65537, key_size=2048)
        return self._stranger
