from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class PlatformMessageArrived(Event):
    """A verified message from the platform lies in the inbox."""

    name: ClassVar[str] = "registry.platform_message_arrived"

    inbox_id: str
    application_id: str

    @property
    def ordering_key(self) -> str:
        """The application; a message of none waits for no other."""
        return self.application_id or self.inbox_id


@dataclass(frozen=True, slots=True)
class MessageQueued(Event):
    """A message to the platform was written with the decision it tells of."""

    name: ClassVar[str] = "registry.message_queued"

    message_id: str
    subject_key: str

    @property
    def ordering_key(self) -> str:
        """The application, so that a case's messages arrive in order; the certificate where there is none."""
        return self.subject_key


@dataclass(frozen=True, slots=True)
class Entered(Event):
    """The rights of a case were entered in the register (登簿)."""

    name: ClassVar[str] = "registry.entered"

    case_id: str
    application_id: str

    @property
    def ordering_key(self) -> str:
        return self.case_id


@dataclass(frozen=True, slots=True)
class CertificatesReleased(Event):
    """The last track that held up the certificates of an entered case is done."""

    name: ClassVar[str] = "registry.certificates_released"

    case_id: str
    application_id: str

    @property
    def ordering_key(self) -> str:
        return self.case_id
