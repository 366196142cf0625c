"""What a resident is told of a parcel: that it is sent, on its way to the door, signed for, or in trouble."""

from kit.clock import time_text
from notifications import service as notifications
from notifications.fields import DASH
from server.delivery import queries as deliveries
from server.delivery.events import Dispatched, StateChanged
from server.delivery.queries import DeliveryView
from server.delivery.rules import CARRIERS
from server.delivery.states import ParcelState
from server.journeys.house import House

BUSINESS = "文件邮寄"
"""On a phone that others may see: that it is a title certificate is told in the mini-program alone."""
_TROUBLE = frozenset(
    (
        ParcelState.PROBLEM,
        ParcelState.REFUSED,
        ParcelState.RETURNING,
        ParcelState.RETURNED,
        ParcelState.LOST,
        ParcelState.CANCELLED,
    )
)


async def dispatched(house: House, event: Dispatched) -> None:
    """Once for each number: who was told a mistyped one is told the right one."""
    parcel = await deliveries.by_id(house.delivery, delivery_id=event.delivery_id)
    await _tell(house, parcel, "delivery_dispatched", occasion=parcel.waybill or "once")


async def moved(house: House, event: StateChanged) -> None:
    """Only what is still so: a parcel signed for meanwhile is not on its way to the door any more."""
    parcel = await deliveries.by_id(house.delivery, delivery_id=event.delivery_id)
    if parcel.state.value != event.state:
        return
    if parcel.state is ParcelState.SIGNED:
        await _tell(house, parcel, "delivery_signed", occasion=event.occasion)
    elif parcel.state is ParcelState.DELIVERING:
        await _tell(house, parcel, "delivery_delivering", occasion=event.occasion)
    elif parcel.state in _TROUBLE:
        await _tell(house, parcel, "delivery_problem", occasion=f"{parcel.state.value}:{event.occasion}")


async def _tell(house: House, parcel: DeliveryView, template: str, *, occasion: str) -> None:
    moment = parcel.dispatched_at if template == "delivery_dispatched" else parcel.settled_at or parcel.last_event_at
    params = {
        "business": BUSINESS,
        "number": parcel.waybill or DASH,
        "time": time_text(moment or house.clock.now()),
        "carrier": CARRIERS.get(parcel.carrier or "", "快递"),
        "hint": parcel.settled_as.text if parcel.settled_as else parcel.state.text,
        "delivery_id": parcel.id,
    }
    await notifications.tell(
        house.notifications,
        recipient=parcel.resident_id,
        template=template,
        params=params,
        dedupe_key=f"{template}:{parcel.id}:{occasion}",
    )
