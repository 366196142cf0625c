from typing import Protocol

from server.certificates.claims import CredentialClaims


class Seal(Protocol):
    """The registry's seal: the only place its keys are used. Lives on the registry side alone."""

    async def sign_pdf(self, pdf: bytes) -> bytes:
        """One PAdES signature over the whole file, with a timestamp inside it where an authority is configured."""
        ...

    async def sign_credential(self, claims: CredentialClaims) -> bytes:
        """The COSE credential for the QR code; ValueError when the claims do not fit."""
        ...
