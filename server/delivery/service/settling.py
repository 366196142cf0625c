"""What staff find out and no carrier tells: not sent, handed over, come back, lost; and what they have looked at."""

from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.idempotency import RequestKey
from server.delivery import rules
from server.delivery.errors import DeliveryNotFound, DeliveryStateWrong
from server.delivery.models import DeliveryOrder, DeliveryStray
from server.delivery.ports import Needs
from server.delivery.sealed import SETTLEMENT
from server.delivery.service.dispatching import order_in_scope
from server.delivery.service.moves import Standing, hold_certificate, tell_moves
from server.delivery.states import ParcelState, Settlement, SignedBy, Watch
from server.terms.scope import Scope

_OK = 200


async def settle(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    delivery_id: str,
    outcome: Settlement,
    note: str,
    key: RequestKey,
) -> str:
    """Record what became of a parcel, with a note that its resident reads; nobody needs to look at it any more.

    A later line of the carrier is news again, an earlier one is not. Errors: DELIVERY_NOT_FOUND; DELIVERY_STATE_WRONG,
    also for a paper handed over whose certificate has been asked for again.
    """
    try:
        return await _settle(needs, staff_id, scope, delivery_id, outcome, note, key)
    except IntegrityError as error:
        order = await DeliveryOrder.get(id=delivery_id)
        if order.live_key is None and await DeliveryOrder.exists(live_key=order.certificate_id):
            raise DeliveryStateWrong from error
        raise


@transactional
async def _settle(
    needs: Needs, staff_id: str, scope: Scope, delivery_id: str, outcome: Settlement, note: str, key: RequestKey
) -> str:
    order = await order_in_scope(delivery_id, scope)
    now, before = needs.clock.now(), Standing.of(order)
    state = rules.settled(outcome, state=before.state, dispatched=order.dispatched_at is not None)
    order.state, order.attention, order.updated_at = state.value, None, now
    order.watch = Watch.ENDED.value
    _note_signature(order, state, signed_at=order.signed_at or now)
    order.settled_as, order.settled_by, order.settled_at = outcome.value, staff_id, now
    order.settlement_sealed = needs.cipher.seal(note, (SETTLEMENT, order.id))
    order.version += 1
    await hold_certificate(order)
    if state is ParcelState.SIGNED and order.live_key is None:
        raise DeliveryStateWrong
    await order.save()
    await record(
        actor=Actor("staff", staff_id),
        action="delivery.settled",
        subject=("delivery", order.id),
        details={"outcome": outcome.value, "was": before.state.value},
        at=now,
    )
    await tell_moves(needs, order, before=before, at=now)
    await key.settle(result_id=order.id, status=_OK)
    return str(order.id)


def _note_signature(order: DeliveryOrder, state: ParcelState, *, signed_at: datetime) -> None:
    is_signed = state is ParcelState.SIGNED
    order.signed_at = signed_at if is_signed else None
    order.signed_by = SignedBy.SELF.value if is_signed else None


@transactional
async def explain_stray(needs: Needs, *, staff_id: str, stray_id: str, reason: str, key: RequestKey) -> str:
    """Put away a push that somebody has looked into; DELIVERY_NOT_FOUND for one that is none or put away already."""
    now = needs.clock.now()
    if not await DeliveryStray.filter(id=stray_id, resolved_at__isnull=True).update(resolved_at=now):
        raise DeliveryNotFound
    await record(
        actor=Actor("staff", staff_id),
        action="delivery.stray_explained",
        subject=("delivery_stray", stray_id),
        reason=reason,
        at=now,
    )
    await key.settle(result_id=stray_id, status=_OK)
    return stray_id
