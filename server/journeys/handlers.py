"""Event -> next command: who listens to what, by side. The names are written into rows and never change."""

from kit.outbox import Handler
from notifications import service as notifications
from notifications.events import DeliveryQueued, ReceiptDue
from payments import service as payments
from payments.events import (
    AttemptOpened,
    BillDue,
    NoticeArrived,
    OrderOpened,
    PaymentSettled,
    RefundOpened,
    RefundSettled,
)
from server.applications.events import (
    Accepted,
    ConfirmationRequested,
    CorrectionAsked,
    Entered,
    Expired,
    FeeDue,
    FeeSettled,
    NoticePushed,
    PartyRefused,
    Refused,
    Submitted,
    TaxCleared,
    TaxNoticeArrived,
    Withdrawn,
)
from server.appointments import events as appointments
from server.certificates.events import CopyKept, Issued, StatusChanged
from server.delivery import events as delivery
from server.identity.events import RealNameVerified
from server.journeys import (
    binding,
    fees,
    posting,
    recording,
    registering,
    relaying,
    taxes,
    telling,
    telling_appointments,
    telling_deliveries,
)
from server.journeys.house import House
from server.registry import events as registry
from server.relay import service as relay
from server.relay.events import RegistryMessageArrived


async def record(house: House, event: RegistryMessageArrived) -> None:
    """Record what the registry told."""
    message = await relay.open_down(house.relay, inbox_id=event.inbox_id)
    await recording.record(house, message)


async def settle_notice(house: House, event: NoticeArrived) -> None:
    """Work on a wallet's notice."""
    await payments.settle_notice(house.payments, inbox_id=event.inbox_id)


async def poll(house: House, event: AttemptOpened) -> None:
    """Ask the wallet what became of an attempt."""
    await payments.poll(house.payments, attempt_id=event.attempt_id)


async def fetch_bill(house: House, event: BillDue) -> None:
    """Fetch a wallet's daily bill and hold it against our books."""
    await payments.fetch_bill(house.payments, bill_id=event.bill_id)


async def give_back(house: House, event: RefundOpened) -> None:
    """Ask a wallet to give money back, or what became of it."""
    await payments.give_back(house.payments, refund_id=event.refund_id)


async def deliver(house: House, event: DeliveryQueued) -> None:
    """Send a message over one channel."""
    await notifications.deliver(house.notifications, delivery_id=event.delivery_id)


async def receipt(house: House, event: ReceiptDue) -> None:
    """Ask what became of a message that was sent."""
    await notifications.record_receipt(house.notifications, delivery_id=event.delivery_id, attempt=event.attempt)


PLATFORM = (
    Handler("applications.bind_parties", RealNameVerified, binding.bind_parties),
    Handler("telling.confirmation_requested", ConfirmationRequested, telling.confirmation_requested),
    Handler("telling.party_refused", PartyRefused, telling.party_refused),
    Handler("relay.forward_package", Submitted, relaying.forward_package),
    Handler("telling.submitted", Submitted, telling.submitted),
    Handler("relay.record", RegistryMessageArrived, record),
    Handler("taxes.declare", Accepted, taxes.declare),
    Handler("telling.accepted", Accepted, telling.accepted),
    Handler("telling.correction_asked", CorrectionAsked, telling.correction_asked),
    Handler("telling.refused", Refused, telling.refused),
    Handler("fees.fall_due", FeeDue, fees.fall_due),
    Handler("telling.fee_due", OrderOpened, telling.fee_due),
    Handler("payments.settle_notice", NoticeArrived, settle_notice),
    Handler("payments.poll", AttemptOpened, poll),
    Handler("payments.refund", RefundOpened, give_back),
    Handler("payments.fetch_bill", BillDue, fetch_bill),
    Handler("telling.refund_settled", RefundSettled, telling.refund_settled),
    Handler("fees.settled", PaymentSettled, fees.settled),
    Handler("telling.payment_settled", PaymentSettled, telling.payment_settled),
    Handler("relay.forward_fee", FeeSettled, relaying.forward_fee),
    Handler("taxes.record", TaxNoticeArrived, taxes.record),
    Handler("relay.forward_tax", TaxCleared, relaying.forward_tax),
    Handler("relay.forward_withdrawal", Withdrawn, relaying.forward_withdrawal),
    Handler("telling.expired", Expired, telling.expired),
    Handler("telling.progress_notice", NoticePushed, telling.progress_notice),
    Handler("telling.entered", Entered, telling.entered),
    Handler("telling.certificate_ready", CopyKept, telling.certificate_ready),
    Handler("delivery.subscribe", delivery.Dispatched, posting.subscribe),
    Handler("telling.delivery_dispatched", delivery.Dispatched, telling_deliveries.dispatched),
    Handler("delivery.record_push", delivery.CarrierPushArrived, posting.record_push),
    Handler("delivery.poll", delivery.PollDue, posting.poll),
    Handler("telling.delivery_moved", delivery.StateChanged, telling_deliveries.moved),
    Handler("notifications.deliver", DeliveryQueued, deliver),
    Handler("notifications.receipt", ReceiptDue, receipt),
    Handler("telling.appointment_booked", appointments.Booked, telling_appointments.booked),
    Handler("telling.appointment_cancelled", appointments.Cancelled, telling_appointments.cancelled),
    Handler("telling.appointment_office_closed", appointments.CancelledByOffice, telling_appointments.office_closed),
    Handler("appointments.clear_day", appointments.DayClosed, telling_appointments.clear_day),
)

REGISTRY = (
    Handler("registry.record", registry.PlatformMessageArrived, registering.record_message),
    Handler("registry.send", registry.MessageQueued, registering.send_message),
    Handler("registering.issue", registry.Entered, registering.issue),
    Handler("registering.issue_released", registry.CertificatesReleased, registering.issue),
    Handler("registering.send_certificate", Issued, registering.send_certificate),
    Handler("registering.send_status", StatusChanged, registering.send_status),
)


def handlers_of(role: str) -> tuple[Handler, ...]:
    """The handlers that a role subscribes."""
    sides = {"platform": PLATFORM, "registry": REGISTRY, "all": PLATFORM + REGISTRY}
    return sides[role]
