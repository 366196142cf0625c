from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from server.delivery import rules
from server.delivery.errors import CarrierNotOffered, DeliveryNotFound, DeliveryStateWrong, WaybillUsed
from server.delivery.events import Dispatched
from server.delivery.models import DeliveryEvent, DeliveryOrder, DeliveryStray
from server.delivery.ports import Needs
from server.delivery.sealed import ADDRESS, NAME, POSTCODE, phone_of
from server.delivery.service.moves import Standing, hold_certificate, tell_paper
from server.delivery.states import ParcelState, Watch
from server.terms.scope import Scope

_OK = 200


@dataclass(frozen=True, slots=True)
class Label:
    """What a clerk writes on the parcel; the contents say nothing of a certificate."""

    name: str
    phone: str
    district: str
    address: str
    postcode: str
    contents_code: str
    contents_text: str


async def dispatch(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    delivery_id: str,
    carrier: str,
    waybill: str,
    old_certificate_recalled: bool,
    key: RequestKey,
) -> str:
    """Record that the paper went to the carrier; `old_certificate_recalled` False states that there was no old one.

    Errors: DELIVERY_NOT_FOUND, DELIVERY_STATE_WRONG, CARRIER_NOT_OFFERED, WAYBILL_USED; TermError for a waybill that
    cannot be one.
    """
    number = _number(needs, carrier, waybill)
    async with _told_who_was_first(number):
        return await _dispatch(
            needs,
            staff_id=staff_id,
            scope=scope,
            delivery_id=delivery_id,
            carrier=carrier,
            waybill=number,
            recalled=old_certificate_recalled,
            key=key,
        )


def _number(needs: Needs, carrier: str, waybill: str) -> str:
    """The waybill in its one spelling, of a carrier that we have."""
    number = rules.waybill(carrier, waybill)
    if carrier not in needs.carriers:
        raise CarrierNotOffered
    return number


@asynccontextmanager
async def _told_who_was_first(waybill: str) -> AsyncIterator[None]:
    """Two clerks may type one number in the same moment: the second is told so, as one who comes later is."""
    try:
        yield
    except IntegrityError as error:
        if await DeliveryOrder.exists(waybill=waybill):
            raise WaybillUsed from error
        raise


async def _check_unused(waybill: str) -> None:
    if await DeliveryOrder.exists(waybill=waybill):
        raise WaybillUsed


@transactional
async def _dispatch(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    delivery_id: str,
    carrier: str,
    waybill: str,
    recalled: bool,
    key: RequestKey,
) -> str:
    order = await order_in_scope(delivery_id, scope)
    if order.state != ParcelState.REQUESTED:
        raise DeliveryStateWrong
    await _check_unused(waybill)
    now, before = needs.clock.now(), Standing.of(order)
    order.old_certificate_recalled = recalled
    order.dispatched_by, order.dispatched_at = staff_id, now
    await _watch_from_now(order, carrier, waybill, now)
    await record(
        actor=Actor("staff", staff_id),
        action="delivery.dispatched",
        subject=("delivery", order.id),
        details={"carrier": carrier, "old_certificate_recalled": recalled},
        at=now,
    )
    await needs.outbox.publish(Dispatched(order.id))
    await tell_paper(needs, order, before=before, at=now)
    await key.settle(result_id=order.id, status=_OK)
    return str(order.id)


async def correct_waybill(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    delivery_id: str,
    carrier: str,
    waybill: str,
    reason: str,
    key: RequestKey,
) -> str:
    """Put the right number in the place of a mistyped one; what was told of the other parcel is forgotten.

    Errors: DELIVERY_NOT_FOUND, DELIVERY_STATE_WRONG (not sent, or settled), CARRIER_NOT_OFFERED, WAYBILL_USED;
    TermError for a waybill that cannot be one.
    """
    number = _number(needs, carrier, waybill)
    async with _told_who_was_first(number):
        return await _correct(
            needs,
            staff_id=staff_id,
            scope=scope,
            delivery_id=delivery_id,
            carrier=carrier,
            waybill=number,
            reason=reason,
            key=key,
        )


@transactional
async def _correct(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    delivery_id: str,
    carrier: str,
    waybill: str,
    reason: str,
    key: RequestKey,
) -> str:
    order = await order_in_scope(delivery_id, scope)
    if order.dispatched_at is None or order.settled_at is not None:
        raise DeliveryStateWrong
    await _check_unused(waybill)
    now, before, wrong = needs.clock.now(), Standing.of(order), order.waybill
    # Lines of somebody else's parcel: its holder is not to read them, nor anybody to keep them.
    await DeliveryEvent.filter(order_id=order.id).delete()
    order.raw_state, order.list_rank, order.list_begins_at, order.last_event_at = "", "", None, None
    order.signed_at = order.signed_by = order.attention = None
    order.heard_at = order.queried_at = order.next_poll_at = None
    await _watch_from_now(order, carrier, waybill, now)
    await record(
        actor=Actor("staff", staff_id),
        action="delivery.waybill_corrected",
        subject=("delivery", order.id),
        reason=reason,
        details={"carrier": carrier, "wrong": wrong, "right": waybill},
        at=now,
    )
    await needs.outbox.publish(Dispatched(order.id))
    await tell_paper(needs, order, before=before, at=now)
    await key.settle(result_id=order.id, status=_OK)
    return str(order.id)


async def _watch_from_now(order: DeliveryOrder, carrier: str, waybill: str, now: datetime) -> None:
    """Save the order as sent under this number."""
    order.state, order.watch = ParcelState.DISPATCHED.value, Watch.PENDING.value
    order.carrier, order.waybill, order.updated_at = carrier, waybill, now
    order.version += 1
    await hold_certificate(order)
    await order.save()
    # A push that was faster than the clerk comes again, or the parcel is asked for.
    await DeliveryStray.filter(waybill=waybill, resolved_at=None).update(resolved_at=now)


@transactional
async def label(needs: Needs, *, staff_id: str, scope: Scope, delivery_id: str, reason: str) -> Label:
    """The receiver in clear, for writing the label; leaves a trace with the reason. DELIVERY_NOT_FOUND."""
    order = await order_in_scope(delivery_id, scope)
    await record(
        actor=Actor("staff", staff_id),
        action="delivery.receiver_shown",
        subject=("delivery", order.id),
        reason=reason,
        at=needs.clock.now(),
    )
    return Label(
        name=needs.cipher.open(order.receiver_name_sealed, (NAME, order.id)),
        phone=phone_of(needs.cipher, order),
        district=order.receiver_district,
        address=needs.cipher.open(order.receiver_address_sealed, (ADDRESS, order.id)),
        postcode=needs.cipher.open(order.receiver_postcode_sealed, (POSTCODE, order.id)),
        contents_code=rules.CONTENTS_CODE,
        contents_text=rules.CONTENTS_TEXT,
    )


async def order_in_scope(delivery_id: str, scope: Scope) -> DeliveryOrder:
    """The order, nobody else's until the transaction ends; DELIVERY_NOT_FOUND also for another district's."""
    found = DeliveryOrder.filter(id=delivery_id)
    if scope.districts is not None:
        found = found.filter(district__in=sorted(scope.districts))
    order = await found.select_for_update().get_or_none()
    if order is None:
        raise DeliveryNotFound
    return order
