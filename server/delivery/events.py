from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class _OfDelivery(Event):
    """One parcel's events are handled in the order they happened."""

    delivery_id: str

    @property
    def ordering_key(self) -> str:
        return self.delivery_id


@dataclass(frozen=True, slots=True)
class Dispatched(_OfDelivery):
    """A clerk handed a certificate to the carrier."""

    name: ClassVar[str] = "delivery.dispatched"


@dataclass(frozen=True, slots=True)
class StateChanged(_OfDelivery):
    """The carrier says that a parcel stands elsewhere than before; `occasion` is the moment of its newest line."""

    name: ClassVar[str] = "delivery.state_changed"
    state: str
    occasion: str


@dataclass(frozen=True, slots=True)
class PaperMoved(Event):
    """A certificate's paper is elsewhere than before; `happened_at` by whoever moved it, `noted_at` by our clock."""

    name: ClassVar[str] = "delivery.paper_moved"
    delivery_id: str
    certificate_id: str
    way: str
    happened_at: str
    noted_at: str

    @property
    def ordering_key(self) -> str:
        """The certificate: it may be posted more than once."""
        return self.certificate_id


@dataclass(frozen=True, slots=True)
class PollDue(_OfDelivery):
    """A parcel may have to be asked for; published again, delayed, until nothing more is expected."""

    name: ClassVar[str] = "delivery.poll_due"


@dataclass(frozen=True, slots=True)
class CarrierPushArrived(Event):
    """A carrier's genuine push lies in the inbox; `waybill_digest` only keeps one parcel's pushes in order."""

    name: ClassVar[str] = "delivery.carrier_push_arrived"
    inbox_id: str
    waybill_digest: str

    @property
    def ordering_key(self) -> str:
        return self.waybill_digest
