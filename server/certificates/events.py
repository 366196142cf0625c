from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class _OfCertificate(Event):
    """One certificate's events are handled in the order they happened; `application_id` may be empty."""

    certificate_id: str
    application_id: str

    @property
    def ordering_key(self) -> str:
        return self.certificate_id


@dataclass(frozen=True, slots=True)
class Issued(_OfCertificate):
    """A certificate was made and sealed on the registry side."""

    name: ClassVar[str] = "certificates.issued"


@dataclass(frozen=True, slots=True)
class StatusChanged(_OfCertificate):
    """A certificate is worth something else than before, or its paper is elsewhere."""

    name: ClassVar[str] = "certificates.status_changed"


@dataclass(frozen=True, slots=True)
class CopyKept(_OfCertificate):
    """The platform holds a copy: the holders may be told."""

    name: ClassVar[str] = "certificates.copy_kept"
