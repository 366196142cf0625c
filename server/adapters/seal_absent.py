"""The seal of a process that has none; apart from the real one, whose libraries take half a second to load."""

from typing import NoReturn

from kit.errors import Permanent
from server.certificates.claims import CredentialClaims


class SealAbsentError(Permanent):
    """This process has no seal: certificates are issued by a worker of the registry side alone."""


class AbsentSeal:
    """What the platform side holds, which never has the registry's keys, and every process that issues nothing."""

    def check_config(self) -> list[str]:
        return ["there is no seal: seal.directory names no folder with its keys"]

    async def sign_pdf(self, pdf: bytes) -> bytes:  # noqa: ARG002 - the port's signature
        _refuse()

    async def sign_credential(self, claims: CredentialClaims) -> bytes:  # noqa: ARG002 - the port's signature
        _refuse()


def _refuse() -> NoReturn:
    raise SealAbsentError("this process has no seal; certificates are issued by a worker of the registry role")
