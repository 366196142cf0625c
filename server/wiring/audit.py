"""The audit trail's anchor: signed by the worker, verified by whoever asks whether the trail is as it was sealed."""

import base64
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from kit.audit.sealer import Sign, seal_once
from kit.audit.verify import Finding, verify_chain
from kit.clock import Clock
from kit.settings import read_secret
from server.settings import Settings
from server.wiring.start import keys_and_secrets


def key_file(settings: Settings) -> Path:
    """The key that signs the daily anchor."""
    return settings.crypto.keys_directory / "audit_anchor.pem"


def public_key_file(settings: Settings) -> Path:
    """Beside the private part, which only the sealing worker reads."""
    path = key_file(settings)
    return path.with_name(path.name + ".pub")


def sealer(settings: Settings, clock: Clock) -> Callable[[], Awaitable[int]]:
    """Chains what is new and signs the anchor of a day that is over; for the worker's timer."""
    sign = signer(settings)

    async def seal() -> int:
        return await seal_once(sign, now=clock.now())

    return seal


def signer(settings: Settings) -> Sign:
    """Signs with the anchor's key, which is read when first needed."""
    loaded: list[Ed25519PrivateKey] = []

    def sign(message: bytes) -> str:
        if not loaded:
            key = load_pem_private_key(read_secret(key_file(settings)).encode(), password=None)
            if not isinstance(key, Ed25519PrivateKey):
                raise TypeError("the audit anchor's key must be Ed25519")
            loaded.append(key)
        return base64.b64encode(loaded[0].sign(message)).decode()

    return sign


async def verify(settings: Settings) -> list[Finding]:
    """Walk the whole chain and every daily anchor; empty when nothing was changed, removed or forged.

    The database is open. Needs only the public part of the key, so that an auditor can run it over a copy;
    CannotStart when that part is missing.
    """
    with keys_and_secrets():
        key = load_pem_public_key(public_key_file(settings).read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("the audit anchor's key must be Ed25519")
    return await verify_chain(lambda message, signature: _signed(key, message, signature))


def _signed(key: Ed25519PublicKey, message: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True
