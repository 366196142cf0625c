from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore
from kit.outbox import Outbox
from server.certificates.claims import CredentialClaims
from server.certificates.rendering import DEBIAN_FONTS


class Seal(Protocol):
    """The registry's seal: the only place its keys are used. Lives on the registry side alone."""

    async def sign_pdf(self, pdf: bytes) -> bytes:
        """One PAdES signature over the whole file, with a timestamp inside it where an authority is configured."""
        ...

    async def sign_credential(self, claims: CredentialClaims) -> bytes:
        """The COSE credential for the QR code; ValueError when the claims do not fit."""
        ...


@dataclass(frozen=True, slots=True)
class Authority:
    """Who issues: `province` and `place` begin each number (苏, 南京市), `code` is the issuer in the QR credential.

    `names` holds the names of district offices as printed, by district; others print `name`.
    """

    name: str
    code: str
    province: str
    place: str
    names: Mapping[str, str] = field(default_factory=dict)

    def name_for(self, district: str) -> str:
        return self.names.get(district, self.name)


@dataclass(frozen=True)
class Needs:
    """What certificates are made, kept and verified with; `credential_keys` by key id, `fonts` are folders."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    files: FileStore
    seal: Seal
    authority: Authority
    credential_keys: Mapping[str, ec.EllipticCurvePublicKey]
    public_base_url: str
    fonts: tuple[Path, ...] = DEBIAN_FONTS
