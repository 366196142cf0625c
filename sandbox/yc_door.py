"""The signature that the city and its partners put under what they say to each other: both ends of it."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sanic import Request

from sandbox.answers import Refused
from sandbox.clock import Clock
from sandbox.signing import ed25519_sign, ed25519_verifies, yc_message

CLOCK_WINDOW_SECONDS = 300


@dataclass(slots=True)
class YcDoor:
    """One partner's door: `key` is the partner's own, `city_key` the one the city's calls are signed with."""

    clock: Clock
    key_id: str
    key: Ed25519PrivateKey
    city_key_id: str
    city_key: Ed25519PublicKey
    _nonces: dict[str, int] = field(default_factory=dict)

    def check(self, request: Request) -> None:
        """Raises Refused (401) unless the city signed this, now, and for the first time."""
        key_id, timestamp, nonce, signature = (
            request.headers.get(f"Yc-{part}", "") for part in ("Key-Id", "Timestamp", "Nonce", "Signature")
        )
        now = self.clock.timestamp()
        message = yc_message(
            method=request.method,
            path=request.raw_url.decode("ascii"),
            timestamp=timestamp,
            nonce=nonce,
            body=request.body,
        )
        if key_id != self.city_key_id or not ed25519_verifies(self.city_key, message, signature):
            raise _unsigned("SIGNATURE_INVALID", "签名无效")
        if not timestamp.isdigit() or abs(int(timestamp) - now) > CLOCK_WINDOW_SECONDS:
            raise _unsigned("TIMESTAMP_OUT_OF_WINDOW", "时间戳超出允许范围")
        self._nonces = dict(_still_watched(self._nonces, now))
        if not nonce or nonce in self._nonces:
            raise _unsigned("NONCE_REUSED", "随机串重复")
        self._nonces[nonce] = now

    def sign_answer(self, request: Request, body: bytes, spoil: bool) -> dict[str, str]:  # noqa: FBT001 - the shape of every signer
        """Answers are signed like requests: over the request's method and path and the answer's body."""
        path = request.raw_url.decode("ascii")
        return self.headers(request.method, path, body, wrong_key=spoil)

    def headers(
        self, method: str, path: str, body: bytes, *, wrong_key: bool = False, stale_seconds: int = 0
    ) -> dict[str, str]:
        """The partner's signature; `wrong_key` and `stale_seconds` make one that must not be believed."""
        key = Ed25519PrivateKey.generate() if wrong_key else self.key
        timestamp = str(self.clock.timestamp() - stale_seconds)
        nonce = b64encode(secrets.token_bytes(18)).decode()
        message = yc_message(method=method, path=path, timestamp=timestamp, nonce=nonce, body=body)
        return {
            "Yc-Key-Id": self.key_id,
            "Yc-Timestamp": timestamp,
            "Yc-Nonce": nonce,
            "Yc-Signature": ed25519_sign(key, message),
        }


def _unsigned(code: str, message: str) -> Refused:
    return Refused(401, {"code": code, "message": message})


def _still_watched(nonces: dict[str, int], now: int) -> Iterator[tuple[str, int]]:
    """A nonce must be remembered for as long as its timestamp could still be accepted."""
    return ((nonce, at) for nonce, at in nonces.items() if now - at <= 2 * CLOCK_WINDOW_SECONDS)
