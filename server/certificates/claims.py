"""What a certificate's credential says, and how it is packed into few enough bytes for a QR code."""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

import cbor2

ID_BYTES = 16
# Registered CWT claims (RFC 8392): issuer, issued at, CWT id. Ours together sit under one private-use key,
# because each private key would cost five bytes of its own.
_ISSUER, _ISSUED_AT, _CWT_ID, _PROPERTY = 1, 6, 7, -65537
_SHANGHAI = dt.timezone(dt.timedelta(hours=8))

_NUMBER = re.compile(r"(\D)([(（])(\d{4})([)）])(\D+)不动产(权|证明)第(\d+)号")
_PACKED = re.compile(r"(\D)([(（])(\d{4})(\D+)(\d+)")
_CLOSING = {"(": ")", "（": "）"}


class CertificateKind(StrEnum):
    TITLE_CERTIFICATE = "title_certificate"
    REGISTRATION_PROOF = "registration_proof"


_KIND_CODES = {CertificateKind.TITLE_CERTIFICATE: 1, CertificateKind.REGISTRATION_PROOF: 2}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}
_NUMBER_WORDS = {CertificateKind.TITLE_CERTIFICATE: "权", CertificateKind.REGISTRATION_PROOF: "证明"}


@dataclass(frozen=True, slots=True)
class CredentialClaims:
    """The signed content: `registry` is the issuer's code, `certificate_id` 32 lower-case hex characters."""

    registry: str
    certificate_id: str
    number: str
    unit_code: str
    issued_on: dt.date
    kind: CertificateKind


def pack(claims: CredentialClaims) -> bytes:
    """CBOR with integer keys; raises ValueError for an id, a number or a kind that cannot be packed."""
    certificate_id = bytes.fromhex(claims.certificate_id)
    if len(certificate_id) != ID_BYTES:
        raise ValueError(f"a certificate id has {ID_BYTES} bytes, not {len(certificate_id)}")
    midnight = dt.datetime.combine(claims.issued_on, dt.time(), _SHANGHAI)
    number = _pack_number(claims.number, claims.kind)
    return cbor2.dumps(
        {
            _ISSUER: claims.registry,
            _ISSUED_AT: int(midnight.timestamp()),
            _CWT_ID: certificate_id,
            _PROPERTY: [_KIND_CODES[claims.kind], number, claims.unit_code],
        }
    )


def unpack(payload: bytes) -> CredentialClaims:
    """The inverse of `pack`; raises ValueError for anything `pack` does not write."""
    try:
        match cbor2.loads(payload):
            case {
                1: str(registry),
                6: int(issued_at),
                7: bytes(certificate_id),
                -65537: [int(kind_code), str(packed), str(unit_code)],
            }:
                kind = _KINDS[kind_code]
                return CredentialClaims(
                    registry=registry,
                    certificate_id=certificate_id.hex(),
                    number=_unpack_number(packed, kind),
                    unit_code=unit_code,
                    issued_on=dt.datetime.fromtimestamp(issued_at, _SHANGHAI).date(),
                    kind=kind,
                )
    except (cbor2.CBORDecodeError, KeyError, OverflowError, OSError) as error:
        raise ValueError("unreadable claims") from error
    raise ValueError("the claims are not a certificate's")


def _pack_number(number: str, kind: CertificateKind) -> str:
    """Drop what the kind already says (不动产权第…号): up to 21 bytes that the QR code has no room for."""
    parts = _NUMBER.fullmatch(number)
    if parts is None:
        raise ValueError("not a certificate number")
    province, opening, year, closing, place, word, serial = parts.groups()
    if _CLOSING[opening] != closing or word != _NUMBER_WORDS[kind]:
        raise ValueError("the certificate number's brackets or its kind do not match")
    return f"{province}{opening}{year}{place}{serial}"


def _unpack_number(packed: str, kind: CertificateKind) -> str:
    parts = _PACKED.fullmatch(packed)
    if parts is None:
        raise ValueError("not a packed certificate number")
    province, opening, year, place, serial = parts.groups()
    word = _NUMBER_WORDS[kind]
    return f"{province}{opening}{year}{_CLOSING[opening]}{place}不动产{word}第{serial}号"
