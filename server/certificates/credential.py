"""The credential in a certificate's QR code: COSE_Sign1 (RFC 9052) with ES256, small and checkable offline.

`cwt` writes it. Reading goes through the short path below, which knows one encoding only, refuses all others,
names the flaw, and costs 1.4 times the bare signature check with the claims read (cwt's `decode` and the same
claims: 1.56 times, without either of the first two). cwt stays the tests' second opinion.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cwt import COSE, COSEKey

from server.certificates.claims import CredentialClaims, pack, unpack

MAX_BYTES = 230
MAX_KEY_ID_BYTES = 8

_ALGORITHM, _KEY_ID, _ES256 = 1, 4, -7
_COORDINATE = 32
_SIGNATURE_BYTES = 2 * _COORDINATE
_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())

# CBOR (RFC 8949, 3): tag 18 with an array of four; an empty map; a map of {1: -7, 4: ...}; byte strings.
_TAGGED_ARRAY, _EMPTY_MAP, _ES256_AND_KEY_ID = b"\xd2\x84", b"\xa0", b"\xa2\x01\x26\x04"
_BYTES, _BYTES_OF_ONE, _SHORT = 0x40, 0x58, 24

_BASE32 = re.compile(r"[A-Z2-7]+", re.ASCII | re.IGNORECASE)
_TO_DIGITS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")


class Flaw(StrEnum):
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"


class BadCredential(ValueError):
    """A credential that proves nothing; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(f"bad credential: {flaw}")
        self.flaw = flaw


def issue(claims: CredentialClaims, *, key: ec.EllipticCurvePrivateKey, key_id: str) -> bytes:
    """Sign the claims with a P-256 key; ValueError if the key is unfit or they exceed MAX_BYTES."""
    kid = key_id.encode()
    if not isinstance(key.curve, ec.SECP256R1) or not 0 < len(kid) <= MAX_KEY_ID_BYTES:
        raise ValueError("a credential needs a P-256 key and a key id of 1 to 8 bytes")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signed: bytes = COSE.new(alg_auto_inclusion=False, kid_auto_inclusion=False).encode_and_sign(
        pack(claims), COSEKey.from_pem(pem, kid=kid), protected={_ALGORITHM: _ES256, _KEY_ID: kid}
    )
    if len(signed) > MAX_BYTES:
        raise ValueError(f"the credential has {len(signed)} bytes, at most {MAX_BYTES} fit into the QR code")
    return signed


def verify(credential: bytes, *, keys: Mapping[str, ec.EllipticCurvePublicKey]) -> CredentialClaims:
    """Check the signature under the key that the credential names; raises BadCredential.

    Benchmark: verify_offline.
    """
    protected, payload, signature = _parts(credential)
    key = keys.get(_key_id(protected))
    if key is None:
        raise BadCredential(Flaw.UNKNOWN_KEY)
    r, s = signature[:_COORDINATE], signature[_COORDINATE:]
    der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
    try:
        key.verify(der, cbor2.dumps(["Signature1", protected, b"", payload]), _ECDSA_SHA256)
    except InvalidSignature as error:
        raise BadCredential(Flaw.BAD_SIGNATURE) from error
    try:
        return unpack(payload)
    except ValueError as error:
        raise BadCredential(Flaw.MALFORMED) from error


def _parts(credential: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature of the one encoding that `issue` writes.

    Read by hand: anybody may send these bytes, and a CBOR library would build whatever they ask for (huge decimals,
    patterns, dates) before the signature has been looked at. One text for one credential: trailing bytes and longer
    CBOR forms would be unsigned room.
    """
    if not credential.startswith(_TAGGED_ARRAY):
        raise BadCredential(Flaw.MALFORMED)
    protected, at = _bytes_at(credential, len(_TAGGED_ARRAY))
    if credential[at : at + 1] != _EMPTY_MAP:
        raise BadCredential(Flaw.MALFORMED)
    payload, at = _bytes_at(credential, at + 1)
    signature, at = _bytes_at(credential, at)
    if at != len(credential) or len(signature) != _SIGNATURE_BYTES:
        raise BadCredential(Flaw.MALFORMED)
    return protected, payload, signature


def _key_id(protected: bytes) -> str:
    if not protected.startswith(_ES256_AND_KEY_ID):
        raise BadCredential(Flaw.MALFORMED)
    kid, end = _bytes_at(protected, len(_ES256_AND_KEY_ID))
    if end != len(protected) or not kid.isascii():
        raise BadCredential(Flaw.MALFORMED)
    return kid.decode()


def _bytes_at(data: bytes, at: int) -> tuple[bytes, int]:
    """The byte string that begins there, in CBOR's shortest form, and where it ends."""
    head = data[at] if at < len(data) else 0
    start, size = at + 1, head - _BYTES
    if head == _BYTES_OF_ONE and start < len(data):
        start, size = at + 2, data[start]
        if size < _SHORT:
            raise BadCredential(Flaw.MALFORMED)
    elif not 0 <= size < _SHORT:
        raise BadCredential(Flaw.MALFORMED)
    if start + size > len(data):
        raise BadCredential(Flaw.MALFORMED)
    return data[start : start + size], start + size


def key_id_of(key: ec.EllipticCurvePublicKey) -> str:
    """Eight hex characters that name a key: the start of the SHA-256 of its SubjectPublicKeyInfo."""
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest()[:MAX_KEY_ID_BYTES]


def public_keys(pems: Iterable[bytes]) -> dict[str, ec.EllipticCurvePublicKey]:
    """Key id to key, from PEM texts; load once and keep: loading costs more than a check."""
    keys: dict[str, ec.EllipticCurvePublicKey] = {}
    for pem in pems:
        key = serialization.load_pem_public_key(pem)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise TypeError("a credential's public key is a P-256 key")
        keys[key_id_of(key)] = key
    return keys


def encode_base32(credential: bytes) -> str:
    """Upper case without padding: what a QR code holds in its alphanumeric mode."""
    return base64.b32encode(credential).decode().rstrip("=")


def decode_base32(code: str) -> bytes:
    """The inverse of `encode_base32`, in either case; raises BadCredential for any other text."""
    size, spare = divmod(5 * len(code), 8)
    if _BASE32.fullmatch(code) is None or spare >= 5:  # noqa: PLR2004 - a whole character of spare bits
        raise BadCredential(Flaw.MALFORMED)
    # int() reads base 32 in C; base64.b32decode is a Python loop nearly as dear as the signature check.
    number = int(code.upper().translate(_TO_DIGITS), 32)
    if number & ((1 << spare) - 1):
        raise BadCredential(Flaw.MALFORMED)
    return (number >> spare).to_bytes(size)
