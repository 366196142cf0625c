"""Who is told what: each event of an application becomes one message to each party it concerns.

The dedupe key names template, application, resident and occasion, so an event handled twice tells nobody twice. What
can happen again in one application (asking for confirmation, submitting, correcting) has its moment as its occasion.
"""

from collections.abc import Iterable
from datetime import datetime

from kit.clock import time_text
from kit.errors import Permanent
from kit.money import yuan
from notifications import service as notifications
from notifications.fields import DASH
from payments import queries as orders
from payments.events import OrderOpened, PaymentSettled, RefundSettled
from payments.queries import OrderView
from payments.rules import OrderState
from server.applications import queries as applications
from server.applications.events import (
    Accepted,
    ConfirmationRequested,
    CorrectionAsked,
    Entered,
    Expired,
    NoticePushed,
    PartyRefused,
    Refused,
    Submitted,
)
from server.applications.records import ApplicationRecord, PartyRecord
from server.applications.rules import BUYER_ROLE
from server.applications.states import PartyState, State
from server.certificates.events import CopyKept
from server.journeys.fees import PURPOSE
from server.journeys.house import House

ONCE = "once"
"""The occasion of what happens to an application at most one time."""


async def confirmation_requested(house: House, event: ConfirmationRequested) -> None:
    """Ask those who have not answered yet; nobody when it was taken back meanwhile."""
    record = await _record(house, event.application_id)
    if record.state is not State.AWAITING_CONFIRMATION:
        return
    waiting = [party for party in record.parties if party.state is PartyState.WAITING]
    occasion = record.expires_at.isoformat() if record.expires_at else ONCE
    await _tell(house, record, "confirmation_requested", waiting, occasion=occasion)


async def party_refused(house: House, event: PartyRefused) -> None:
    """It is over: one of them does not want it."""
    record = await _record(house, event.application_id)
    await _tell(house, record, "party_refused", record.parties)


async def submitted(house: House, event: Submitted) -> None:
    record = await _record(house, event.application_id)
    occasion = record.submitted_at.isoformat() if record.submitted_at else ONCE
    await _tell(house, record, "application_submitted", record.parties, occasion=occasion, at=record.submitted_at)


async def accepted(house: House, event: Accepted) -> None:
    record = await _record(house, event.application_id)
    await _tell(house, record, "case_accepted", record.parties, at=record.accepted_at)


async def correction_asked(house: House, event: CorrectionAsked) -> None:
    """One submission is asked for corrections at most once, so its moment is the occasion."""
    record = await _record(house, event.application_id)
    occasion = record.submitted_at.isoformat() if record.submitted_at else ONCE
    await _tell(house, record, "correction_asked", record.parties, occasion=occasion)


async def refused(house: House, event: Refused) -> None:
    record = await _record(house, event.application_id)
    await _tell(house, record, "case_refused", record.parties)


async def expired(house: House, event: Expired) -> None:
    """Tell whoever took the trouble: the opener, and those who had confirmed already."""
    record = await _record(house, event.application_id)
    concerned = [
        party
        for party in record.parties
        if party.resident_id == record.opened_by or party.state is PartyState.CONFIRMED
    ]
    await _tell(house, record, "application_expired", concerned)


async def fee_due(house: House, event: OrderOpened) -> None:
    """Ask the payer, and nobody else, to pay; nobody when it was called off meanwhile."""
    if event.purpose != PURPOSE:
        return
    order = await _order(house, event.subject_id)
    if order.state is OrderState.CALLED_OFF:
        return
    record = await _record(house, event.subject_id)
    payer = [party for party in record.parties if party.resident_id == order.payer_id]
    await _tell(house, record, "fee_due", payer, occasion=order.id, amount_fen=order.amount_fen)


async def payment_settled(house: House, event: PaymentSettled) -> None:
    """Tell everybody that the fee no longer stands in the way; nothing where nothing was to be paid."""
    if event.purpose != PURPOSE:
        return
    order = await _order(house, event.subject_id)
    if order.amount_fen == 0:
        return
    record = await _record(house, event.subject_id)
    await _tell(
        house,
        record,
        "payment_settled",
        record.parties,
        occasion=order.id,
        at=order.paid_at,
        amount_fen=order.amount_fen,
    )


async def refund_settled(house: House, event: RefundSettled) -> None:
    """Tell the payer, and nobody else, that money has come back; every refund is an occasion of its own."""
    if event.purpose != PURPOSE:
        return
    order = await _order(house, event.subject_id)
    refund = await orders.refund(house.payments, refund_id=event.refund_id)
    if refund is None:
        raise Permanent("a settled refund that is not there")
    record = await _record(house, event.subject_id)
    payer = [party for party in record.parties if party.resident_id == order.payer_id]
    await _tell(
        house,
        record,
        "refund_settled",
        payer,
        occasion=refund.id,
        at=refund.refunded_at,
        amount_fen=refund.amount_fen,
    )


async def progress_notice(house: House, event: NoticePushed) -> None:
    """What an officer wrote, to each party that has an account, once per message of the registry."""
    record = await _record(house, event.application_id)
    text, pushed_at = await applications.notice(
        house.applications, application_id=event.application_id, message_id=event.message_id
    )
    await _tell(house, record, "progress_notice", record.parties, occasion=event.message_id, at=pushed_at, notice=text)


async def entered(house: House, event: Entered) -> None:
    record = await _record(house, event.application_id)
    await _tell(house, record, "case_entered", record.parties, at=record.entered_at)


async def certificate_ready(house: House, event: CopyKept) -> None:
    """Tell the new right holders, once per certificate; one that came without an application concerns nobody's wait."""
    if not event.application_id:
        return
    record = await _record(house, event.application_id)
    holders = [party for party in record.parties if party.role == BUYER_ROLE]
    await _tell(house, record, "certificate_ready", holders, occasion=event.certificate_id)


async def _record(house: House, application_id: str) -> ApplicationRecord:
    return await applications.full(house.applications, application_id=application_id)


async def _order(house: House, application_id: str) -> OrderView:
    order = await orders.order_of(house.payments, purpose=PURPOSE, subject_id=application_id)
    if order is None:
        raise Permanent("an event of an order that is not there")
    return order


async def _tell(
    house: House,
    record: ApplicationRecord,
    template: str,
    parties: Iterable[PartyRecord],
    *,
    occasion: str = ONCE,
    at: datetime | None = None,
    amount_fen: int = 0,
    notice: str = "",
) -> None:
    """One message to each of the parties that has an account; `at` is when it happened, now if nobody noted it."""
    params = {
        "business": record.requirements.name,
        "number": record.case_number or record.number or DASH,
        "time": time_text(at or house.clock.now()),
        "application_id": record.id,
        "amount": yuan(amount_fen),
        "notice": notice,
    }
    for party in parties:
        if party.resident_id is not None:
            await notifications.tell(
                house.notifications,
                recipient=party.resident_id,
                template=template,
                params=params,
                dedupe_key=f"{template}:{record.id}:{party.resident_id}:{occasion}",
                district=record.district,
            )
