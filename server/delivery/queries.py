from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from kit.db import fetch
from kit.db.scope import within
from kit.db.sql import as_utc
from server.delivery import rules
from server.delivery.errors import DeliveryNotFound
from server.delivery.models import DeliveryEvent, DeliveryOrder, DeliveryStray
from server.delivery.ports import Needs
from server.delivery.sealed import ADDRESS, NAME, SETTLEMENT, TEXT, phone_of
from server.delivery.states import ParcelState, Settlement, SignedBy
from server.terms.person_name import PersonName
from server.terms.phone import Phone
from server.terms.scope import Scope


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline; `text` is the carrier's own, and may name a courier or whoever signed."""

    at: datetime
    state: ParcelState | None
    text: str
    location: str


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A parcel, its receiver masked; `carrier` and `waybill` once it is sent.

    `settlement` is what staff wrote about what they found out (`settled_as`), empty while the carrier's word stands.
    """

    id: str
    resident_id: str
    certificate_id: str
    certificate_number: str
    district: str
    state: ParcelState
    name_masked: str
    phone_masked: str
    receiver_district: str
    address_masked: str
    carrier: str | None
    waybill: str | None
    watch: str
    attention: str | None
    old_certificate_recalled: bool | None
    requested_at: datetime
    dispatched_at: datetime | None
    last_event_at: datetime | None
    signed_at: datetime | None
    signed_by: str | None
    settled_as: Settlement | None
    settled_at: datetime | None
    settlement: str
    version: int


@dataclass(frozen=True, slots=True)
class StrayView:
    """A push that was about no parcel of ours, or could not be read."""

    id: str
    fault: str
    waybill: str
    created_at: datetime


async def mine(needs: Needs, *, resident_id: str, before: str | None = None, limit: int = 20) -> list[DeliveryView]:
    """A resident's parcels, newest first; `before` is the last id of the page before."""
    found = DeliveryOrder.filter(resident_id=resident_id)
    if before is not None:
        found = found.filter(id__lt=before)
    return [_view(needs, row) for row in await found.order_by("-id").limit(limit)]


async def one_of_mine(needs: Needs, *, resident_id: str, delivery_id: str) -> DeliveryView:
    """DELIVERY_NOT_FOUND also for another's."""
    row = await DeliveryOrder.get_or_none(id=delivery_id, resident_id=resident_id)
    if row is None:
        raise DeliveryNotFound
    return _view(needs, row)


async def by_id(needs: Needs, *, delivery_id: str) -> DeliveryView:
    """For what the house itself does; nobody asks for it over HTTP."""
    return _view(needs, await DeliveryOrder.get(id=delivery_id))


async def posted(needs: Needs, *, certificate_ids: Collection[str]) -> dict[str, bool]:
    """Of these certificates, those whose paper was sent and has not come back; True once its receiver signed for it."""
    rows = await DeliveryOrder.filter(live_key__in=sorted(certificate_ids), dispatched_at__isnull=False)
    return {
        row.certificate_id: row.state == ParcelState.SIGNED.value and row.signed_by == SignedBy.SELF.value
        for row in rows
    }


async def timeline(needs: Needs, *, delivery_id: str) -> list[Line]:
    """What the carrier says of a parcel by its newest list, newest first."""
    order = await DeliveryOrder.get(id=delivery_id)
    events = await DeliveryEvent.filter(order_id=delivery_id, carrier=order.carrier or "")
    shown = [
        event
        for event in events
        if rules.is_shown(at=event.at, line_rank=event.list_rank, rank=order.list_rank, begins_at=order.list_begins_at)
    ]
    shown.sort(key=lambda event: (event.at, event.digest), reverse=True)
    return [
        Line(
            at=event.at,
            state=ParcelState(event.state) if event.state else None,
            text=needs.cipher.open(event.text_sealed, (TEXT, event.id)),
            location=event.location,
        )
        for event in shown
    ]


async def listed(
    needs: Needs,
    *,
    scope: Scope,
    state: ParcelState | None = None,
    attention: bool = False,
    after: str = "",
    limit: int = 20,
) -> list[DeliveryView]:
    """Parcels of the districts of `scope`, oldest first; with `attention` only those that staff should look at."""
    found = DeliveryOrder.filter(id__gt=after)
    if scope.districts is not None:
        found = found.filter(district__in=sorted(scope.districts))
    if state is not None:
        found = found.filter(state=state.value)
    if attention:
        found = found.filter(attention__isnull=False)
    return [_view(needs, row) for row in await found.order_by("id").limit(limit)]


async def one_in_scope(needs: Needs, *, scope: Scope, delivery_id: str) -> DeliveryView:
    """DELIVERY_NOT_FOUND also for one of another district."""
    condition, values = within(scope.districts)
    rows = await fetch(f"SELECT id FROM delivery_order WHERE id = ? AND {condition}", [delivery_id, *values])  # noqa: S608 - kit's own condition
    if not rows:
        raise DeliveryNotFound
    return await by_id(needs, delivery_id=delivery_id)


async def strays(needs: Needs, *, after: str = "", limit: int = 20) -> list[StrayView]:
    """Pushes that nobody has explained yet, oldest first."""
    rows = await DeliveryStray.filter(id__gt=after, resolved_at__isnull=True).order_by("id").limit(limit)
    return [StrayView(row.id, row.fault, row.waybill, as_utc(row.created_at)) for row in rows]


def _view(needs: Needs, row: DeliveryOrder) -> DeliveryView:
    cipher = needs.cipher
    return DeliveryView(
        id=row.id,
        resident_id=row.resident_id,
        certificate_id=row.certificate_id,
        certificate_number=row.certificate_number,
        district=row.district,
        state=ParcelState(row.state),
        name_masked=PersonName(cipher.open(row.receiver_name_sealed, (NAME, row.id))).masked(),
        phone_masked=Phone(phone_of(cipher, row)).masked(),
        receiver_district=row.receiver_district,
        address_masked=rules.address_masked(cipher.open(row.receiver_address_sealed, (ADDRESS, row.id))),
        carrier=row.carrier,
        waybill=row.waybill,
        watch=row.watch,
        attention=row.attention,
        old_certificate_recalled=row.old_certificate_recalled,
        requested_at=row.created_at,
        dispatched_at=row.dispatched_at,
        last_event_at=row.last_event_at,
        signed_at=row.signed_at,
        signed_by=row.signed_by,
        settled_as=Settlement(row.settled_as) if row.settled_as else None,
        settled_at=row.settled_at,
        settlement=cipher.open(row.settlement_sealed, (SETTLEMENT, row.id)) if row.settlement_sealed else "",
        version=row.version,
    )
