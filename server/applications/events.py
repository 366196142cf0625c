from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class _OfApplication(Event):
    """One application's events are handled in the order they happened."""

    application_id: str

    @property
    def ordering_key(self) -> str:
        return self.application_id


@dataclass(frozen=True, slots=True)
class ConfirmationRequested(_OfApplication):
    name: ClassVar[str] = "applications.confirmation_requested"


@dataclass(frozen=True, slots=True)
class PartyRefused(_OfApplication):
    name: ClassVar[str] = "applications.party_refused"


@dataclass(frozen=True, slots=True)
class Submitted(_OfApplication):
    name: ClassVar[str] = "applications.submitted"


@dataclass(frozen=True, slots=True)
class Accepted(_OfApplication):
    name: ClassVar[str] = "applications.accepted"


@dataclass(frozen=True, slots=True)
class CorrectionAsked(_OfApplication):
    name: ClassVar[str] = "applications.correction_asked"


@dataclass(frozen=True, slots=True)
class Refused(_OfApplication):
    name: ClassVar[str] = "applications.refused"


@dataclass(frozen=True, slots=True)
class FeeDue(_OfApplication):
    """The milestone at which the business type asks for its fee has been reached."""

    name: ClassVar[str] = "applications.fee_due"


@dataclass(frozen=True, slots=True)
class FeeSettled(_OfApplication):
    name: ClassVar[str] = "applications.fee_settled"


@dataclass(frozen=True, slots=True)
class TaxNoticeArrived(Event):
    """A verified notice of the tax bureau lies in the inbox; `external_id` is the bureau's own id of it."""

    name: ClassVar[str] = "applications.tax_notice_arrived"

    inbox_id: str
    external_id: str

    @property
    def ordering_key(self) -> str:
        return self.external_id


@dataclass(frozen=True, slots=True)
class TaxCleared(_OfApplication):
    name: ClassVar[str] = "applications.tax_cleared"


@dataclass(frozen=True, slots=True)
class Entered(_OfApplication):
    name: ClassVar[str] = "applications.entered"


@dataclass(frozen=True, slots=True)
class Withdrawn(_OfApplication):
    """Published only when the registry may already know of the application."""

    name: ClassVar[str] = "applications.withdrawn"


@dataclass(frozen=True, slots=True)
class Expired(_OfApplication):
    name: ClassVar[str] = "applications.expired"


@dataclass(frozen=True, slots=True)
class NoticePushed(_OfApplication):
    """An officer wrote to the parties; `message_id` is the registry's own id of it, which tells it from the next."""

    name: ClassVar[str] = "applications.notice_pushed"
    message_id: str
