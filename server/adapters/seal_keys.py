"""Keys and certificates for a demonstration seal (演示): made once, by ourselves, trusted by nobody else."""

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import TimeStamper

from server.adapters.seal import FileSeal, SealFiles, SealKeyError, key_signer
from server.adapters.timestamps import HttpTimeStamper, LocalTimeStamper

DEMO_MARK = "演示"
_YEARS = 10
_NAMES = (
    "root.pem",
    "signing_key.pem",
    "signing_chain.pem",
    "tsa_key.pem",
    "tsa_chain.pem",
    "credential_key.pem",
    "credential_public.pem",
)
_OF_EVERY_SEAL = ("signing_key.pem", "signing_chain.pem", "credential_key.pem", "credential_public.pem")


@dataclass(frozen=True, slots=True)
class DemoSeal:
    """Where the demo's seal lies; only `root` and `credential_public` are meant for others."""

    root: Path
    signing_key: Path
    signing_chain: Path
    tsa_key: Path
    tsa_chain: Path
    credential_key: Path
    credential_public: Path

    def open(self) -> FileSeal:
        """The seal, with timestamps from the demo's own authority."""
        files = SealFiles(self.signing_key, self.signing_chain, self.credential_key)
        timestamper = LocalTimeStamper(key_signer(self.tsa_key, self.tsa_chain))
        return FileSeal(files, timestamper=timestamper, timestamp_chain=self.tsa_chain)


def create_demo_seal(directory: Path, registry_name: str) -> DemoSeal:
    """Make the files (0600, the folder 0700) unless they are there; a file missing from the set is an OSError.

    Safe to run twice at once: the set is written aside and takes its place in one rename.
    """
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        _write_all(aside, registry_name)
        try:
            aside.rename(directory)
        except OSError:
            shutil.rmtree(aside)
    missing = [name for name in _NAMES if not (directory / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{directory} is not a whole demo seal, it lacks {', '.join(missing)}")
    return DemoSeal(*(directory / name for name in _NAMES))


def _write_all(directory: Path, registry_name: str) -> None:
    root_key, root = _authority()
    signing_key = ec.generate_private_key(ec.SECP256R1())
    signing = _leaf(f"{registry_name}（{DEMO_MARK}）", signing_key, root, root_key, for_timestamps=False)
    tsa_key = ec.generate_private_key(ec.SECP256R1())
    tsa = _leaf(f"时间戳服务（{DEMO_MARK}）", tsa_key, root, root_key, for_timestamps=True)
    credential_key = ec.generate_private_key(ec.SECP256R1())
    public = credential_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    contents = (
        _pem(root),
        _key_pem(signing_key),
        _pem(signing) + _pem(root),
        _key_pem(tsa_key),
        _pem(tsa) + _pem(root),
        _key_pem(credential_key),
        public,
    )
    for name, content in zip(_NAMES, contents, strict=True):
        path = directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The root's key is never written: nobody can add to what it has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"一窗{DEMO_MARK}根证书")
    builder = (
        _builder(name, name, key.public_key(), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return key, builder.sign(key, hashes.SHA256())


def _leaf(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    *,
    for_timestamps: bool,
) -> x509.Certificate:
    # Readers that know no document-signing purpose (pdfsig, through NSS) ask for e-mail protection.
    purpose = ExtendedKeyUsageOID.TIME_STAMPING if for_timestamps else ExtendedKeyUsageOID.EMAIL_PROTECTION
    builder = (
        _builder(_name(common_name), root.subject, key.public_key(), root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=for_timestamps)
    )
    return builder.sign(root_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"一窗{DEMO_MARK}"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def open_seal(directory: Path, *, demo: bool = True, timestamp_url: str | None = None) -> FileSeal:
    """The seal in a folder that names its files as `create_demo_seal` does; a city puts its own keys there.

    Timestamps come from `timestamp_url` (RFC 3161), else from the folder's own authority where it has one, else there
    are none. Without `demo` the demonstration's own is refused (SealKeyError): nobody is to believe what it has sealed.
    """
    missing = [name for name in _OF_EVERY_SEAL if not (directory / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{directory} is not a whole seal, it lacks {', '.join(missing)}")
    files = SealFiles(directory / "signing_key.pem", directory / "signing_chain.pem", directory / "credential_key.pem")
    seal = FileSeal(files, timestamper=_timestamper(directory, timestamp_url))
    if DEMO_MARK in seal.name and not demo:
        raise SealKeyError("the seal is the demonstration's; a city needs its own")
    return seal


def _timestamper(directory: Path, url: str | None) -> TimeStamper | None:
    if url is not None:
        return HttpTimeStamper(url)
    key, chain = directory / "tsa_key.pem", directory / "tsa_chain.pem"
    return LocalTimeStamper(key_signer(key, chain)) if key.is_file() and chain.is_file() else None
