"""The registry's seal from key files."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from kit.errors import OutsideError
from server.certificates.claims import CredentialClaims
from server.certificates.credential import issue, key_id_of

_FIELD = "RegistrySeal"
_WORLD_READABLE = 0o004
_RENEW_BEFORE = timedelta(days=30)
_P256_SIGNATURE_BYTES = 72  # the longest DER form


class SealKeyError(ValueError):
    """A key file that is unreadable, not P-256, or not the certificate's."""


@dataclass(frozen=True, slots=True)
class SealFiles:
    """PEM files: the signing key with its chain (leaf first), and the credential's key; P-256, unencrypted."""

    signing_key: Path
    signing_chain: Path
    credential_key: Path


class KeySigner(Signer):
    """pyHanko's signer over a key that is loaded once; its own loads the key again for each signature."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, chain: bytes) -> None:
        leaf, *others = load_certs_from_pemder_data(chain)
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko leaves it unannotated
        registry.register_multiple(others)
        super().__init__(signing_cert=leaf, cert_registry=registry, embed_roots=False)
        self._key = key
        self.common_name = str(leaf.subject.native["common_name"])
        info = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if leaf.public_key.dump() != info:
            raise SealKeyError("the key is not the one in the first certificate of its chain")

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's signature
        if dry_run:
            return bytes(_P256_SIGNATURE_BYTES)
        if digest_algorithm != "sha256":
            raise SigningError(f"the seal signs SHA-256 only, not {digest_algorithm}")
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


class FileSeal:
    """A seal whose keys lie in files; raises SealKeyError when built from files that do not fit together."""

    def __init__(
        self, files: SealFiles, *, timestamper: TimeStamper | None = None, timestamp_chain: Path | None = None
    ) -> None:
        """`timestamp_chain` names the certificates of a time-stamping authority whose key is ours."""
        self._chain, self._timestamp_chain = files.signing_chain, timestamp_chain
        self._credential_key = load_key(files.credential_key)
        self.key_id = key_id_of(self._credential_key.public_key())
        signer = key_signer(files.signing_key, files.signing_chain)
        self.name = signer.common_name
        metadata = PdfSignatureMetadata(
            field_name=_FIELD,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            name=signer.common_name,
            reason="不动产权证书",
        )
        self._signer = PdfSigner(metadata, signer, timestamper=timestamper)

    def check_config(self) -> list[str]:
        """What is wrong with the certificates' dates, the timestamps' too; a seal is renewed before it ends."""
        return [*_date_flaws("the seal", self._chain), *_date_flaws("the timestamps", self._timestamp_chain)]

    async def sign_pdf(self, pdf: bytes) -> bytes:
        """Seal in a thread of its own (about 30 ms); OutsideError when no timestamp could be had."""
        return await asyncio.to_thread(self._sign_pdf, pdf)

    def _sign_pdf(self, pdf: bytes) -> bytes:
        signed = io.BytesIO()
        with _translated():
            asyncio.run(self._signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=signed))
        return signed.getvalue()

    async def sign_credential(self, claims: CredentialClaims) -> bytes:
        return issue(claims, key=self._credential_key, key_id=self.key_id)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # pyHanko's word for a time-stamping authority that does not answer or refuses
        raise OutsideError("seal", "TIMESTAMP", "no timestamp could be had", permanent=False) from error
    except (PdfError, SigningError) as error:
        raise OutsideError("seal", "UNSEALABLE", "the file cannot be sealed", permanent=True) from error


def _date_flaws(whose: str, chain: Path | None) -> Iterator[str]:
    now = datetime.now(UTC)
    for certificate in x509.load_pem_x509_certificates(_read(chain)) if chain else ():
        first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now < first:
            yield f"a certificate of {whose} is valid only from {first:%Y-%m-%d}"
        elif now > last:
            yield f"a certificate of {whose} has been invalid since {last:%Y-%m-%d}"
        elif last - now < _RENEW_BEFORE:
            yield f"a certificate of {whose} ends on {last:%Y-%m-%d}: renew it now"


def key_signer(key: Path, chain: Path) -> KeySigner:
    """A signer from two PEM files; raises SealKeyError."""
    return KeySigner(load_key(key), _read(chain))


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A P-256 private key from an unencrypted PEM file that not everybody may read; raises SealKeyError."""
    pem = _read(path)
    if path.stat().st_mode & _WORLD_READABLE:
        raise SealKeyError(f"{path.name} may be read by everybody; take that right away (chmod o-r)")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise SealKeyError(f"{path.name} is not an unencrypted PEM private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SealKeyError(f"{path.name} is not a P-256 key")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SealKeyError(f"{path.name} cannot be read") from error
