"""What follows from a parcel's standing elsewhere than before, whoever says so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from server.delivery import rules
from server.delivery.events import PaperMoved, StateChanged
from server.delivery.models import DeliveryOrder
from server.delivery.ports import Needs
from server.delivery.states import PaperWay, ParcelState, SignedBy


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a parcel stands, and where that puts the paper in it."""

    state: ParcelState
    way: PaperWay | None

    @classmethod
    def of(cls, order: DeliveryOrder) -> Self:
        state = ParcelState(order.state)
        signed_by = SignedBy(order.signed_by) if order.signed_by else None
        return cls(state, rules.paper_way(state, signed_by, dispatched=order.dispatched_at is not None))


async def tell_moves(needs: Needs, order: DeliveryOrder, *, before: Standing, at: datetime) -> None:
    """Publish what is not as before, in the caller's transaction; `at` is when it happened."""
    if order.state != before.state:
        await needs.outbox.publish(StateChanged(order.id, order.state, at.isoformat()))
    await tell_paper(needs, order, before=before, at=at)


async def tell_paper(needs: Needs, order: DeliveryOrder, *, before: Standing, at: datetime) -> None:
    """Publish that the paper is elsewhere than before, if it is."""
    way = Standing.of(order).way
    if way is not None and way is not before.way:
        noted_at = needs.clock.now().isoformat()
        await needs.outbox.publish(PaperMoved(order.id, order.certificate_id, way.value, at.isoformat(), noted_at))


async def hold_certificate(order: DeliveryOrder) -> None:
    """Keep the certificate from being posted again, or let it go, as the parcel stands; before the order is saved."""
    if not rules.keeps_certificate_busy(ParcelState(order.state)):
        order.live_key = None
    elif order.live_key is None and not await DeliveryOrder.exists(live_key=order.certificate_id):
        order.live_key = order.certificate_id
