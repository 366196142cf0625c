"""Asking the carrier to tell us, and asking ourselves when nothing is heard.

A question is claimed by its own transaction before it is put, together with the next one: whatever crashes, a parcel is
never asked for twice within the half hour, after which the provider would lock it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.db import transactional
from kit.errors import OutsideError
from kit.log import get_logger
from server.delivery import rules
from server.delivery.events import PollDue
from server.delivery.models import DeliveryOrder
from server.delivery.ports import Needs, Parcel, UnreadableReport
from server.delivery.rules import Report
from server.delivery.sealed import phone_of
from server.delivery.service.recording import take
from server.delivery.states import Attention, ParcelState, Watch

log = get_logger("delivery")


@dataclass(frozen=True, slots=True)
class _Question:
    parcel: Parcel
    now: bool  # False: something was heard lately, and the next look is on its way


async def subscribe(needs: Needs, *, delivery_id: str) -> None:
    """Ask the carrier to tell what becomes of a parcel; OutsideError while it cannot be reached."""
    order = await DeliveryOrder.get(id=delivery_id)
    if order.next_poll_at is not None or order.carrier is None:
        return
    parcel, carrier = _parcel(needs, order), needs.carriers.get(order.carrier)
    if carrier is None:
        await _watched(needs, delivery_id, parcel, Watch.REFUSED)
        return
    try:
        pushed = await carrier.subscribe(parcel)
    except OutsideError as error:
        if not error.permanent:
            raise
        log.warning("subscription_refused", system=error.system, error_code=error.code)
        await _watched(needs, delivery_id, parcel, Watch.REFUSED)
        return
    await _watched(needs, delivery_id, parcel, Watch.PUSHED if pushed else Watch.POLLED)


@transactional
async def _watched(needs: Needs, delivery_id: str, parcel: Parcel, watch: Watch) -> None:
    order = await DeliveryOrder.filter(id=delivery_id).select_for_update().get()
    if order.next_poll_at is not None:  # handled again after a crash
        return
    if order.waybill != parcel.waybill:  # corrected meanwhile; the right number is subscribed by its own event
        return
    if order.watch == Watch.PENDING:  # what a push said meanwhile stands
        order.watch = watch.value
    await _look_again(needs, order, rules.look_after(watch))


async def poll(needs: Needs, *, delivery_id: str) -> None:
    """Ask the carrier for the full list if nothing was heard; its being down only means to ask again later."""
    question = await _claim(needs, delivery_id)
    if question is None or not question.now:
        return
    carrier = needs.carriers.get(question.parcel.carrier)
    if carrier is None:
        return
    try:
        report = await carrier.query(question.parcel)
    except OutsideError as error:
        log.warning("query_failed", system=error.system, error_code=error.code, permanent=error.permanent)
        return
    if report is not None:
        await _take(needs, report)


async def _take(needs: Needs, report: Report) -> None:
    try:
        await take(needs, report)
    except UnreadableReport as error:
        log.warning("query_unreadable", reason=str(error))


@transactional
async def _claim(needs: Needs, delivery_id: str) -> _Question | None:
    order = await DeliveryOrder.filter(id=delivery_id).select_for_update().get()
    now = needs.clock.now()
    due = order.next_poll_at is not None and order.next_poll_at <= now
    if not due or ParcelState(order.state).final or order.dispatched_at is None:
        return None
    if rules.given_up(order.dispatched_at, now=now):
        order.attention, order.next_poll_at, order.updated_at = Attention.SILENT.value, None, now
        await order.save(update_fields=["attention", "next_poll_at", "updated_at"])
        return None
    watch = Watch(order.watch)
    wait = rules.wait_before_query(watch, heard_at=order.heard_at, queried_at=order.queried_at, now=now)
    if wait:
        await _look_again(needs, order, wait)
        return _Question(_parcel(needs, order), now=False)
    order.queried_at = now
    await _look_again(needs, order, rules.look_after(watch))
    return _Question(_parcel(needs, order), now=True)


async def _look_again(needs: Needs, order: DeliveryOrder, wait: timedelta) -> None:
    now: datetime = needs.clock.now()
    order.next_poll_at, order.updated_at = now + wait, now
    order.version += 1
    await order.save(update_fields=["watch", "queried_at", "next_poll_at", "updated_at", "version"])
    await needs.outbox.publish(PollDue(order.id), delay_seconds=int(wait.total_seconds()))


def _parcel(needs: Needs, order: DeliveryOrder) -> Parcel:
    return Parcel(order.carrier or "", order.waybill or "", phone_of(needs.cipher, order))
