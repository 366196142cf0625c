"""Checking a certificate's credential without asking anybody: the code, the public key, and `cwt`."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cwt import COSE, COSEKey

MAX_BYTES = 230
# RFC 8392: 1 issuer, 6 issued at, 7 id; -65537 is the registry's own: kind, number, unit code.
_PROPERTY = -65537


def credential_of(link: str) -> bytes:
    """The COSE_Sign1 message after the last slash of a certificate's link."""
    code = link.rpartition("/")[2]
    return base64.b32decode(code + "=" * (-len(code) % 8))


def verify_offline(credential: bytes, *, public_key: Path) -> dict[int, Any]:
    """The claims; `cwt.exceptions.VerifyError` when the registry's key did not sign them."""
    key = COSEKey.from_pem(public_key.read_bytes(), kid=_key_id(public_key))
    claims: dict[int, Any] = cbor2.loads(COSE.new().decode(credential, key))
    return claims


def unit_code_of(claims: dict[int, Any]) -> str:
    return str(claims[_PROPERTY][2])


def serial_in(claims: dict[int, Any], number: str) -> bool:
    """Whether the packed certificate number ends in the serial of `number` (…第0000012号)."""
    serial = number.rpartition("第")[2].removesuffix("号")
    return str(claims[_PROPERTY][1]).endswith(serial)


def _key_id(public_key: Path) -> str:
    """How a credential names its key: the first eight hex characters of the SHA-256 of its SubjectPublicKeyInfo."""
    key = load_pem_public_key(public_key.read_bytes())
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:8]
