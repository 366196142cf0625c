"""The table of the process: which event leads to which next command, in the order of a case.

The first word of a row is written into the outbox's rows and never changes.
"""

from kit.outbox import Handler
from notifications import events as notifications
from payments import events as payments
from server.applications import events as applications
from server.appointments import events as appointments
from server.certificates import events as certificates
from server.delivery import events as delivery
from server.identity import events as identity
from server.journeys import (
    binding,
    closing,
    fees,
    paying,
    posting,
    recording,
    registering,
    relaying,
    sending,
    taxes,
    telling,
)
from server.registry import events as registry
from server.relay import events as relay

_VISITS = (
    Handler("telling.appointment_booked", appointments.Booked, telling.appointments.booked),
    Handler("telling.appointment_cancelled", appointments.Cancelled, telling.appointments.cancelled),
    Handler("appointments.clear_day", appointments.DayClosed, closing.clear_day),
    Handler("telling.appointment_office_closed", appointments.CancelledByOffice, telling.appointments.office_closed),
)
_APPLICATIONS = (
    Handler("applications.bind_parties", identity.RealNameVerified, binding.bind_parties),
    Handler("telling.wallet_joined", identity.WalletJoined, telling.residents.wallet_joined),
    Handler(
        "telling.confirmation_requested",
        applications.ConfirmationRequested,
        telling.applications.confirmation_requested,
    ),
    Handler("telling.party_refused", applications.PartyRefused, telling.applications.party_refused),
    Handler("relay.forward_package", applications.Submitted, relaying.forward_package),
    Handler("telling.submitted", applications.Submitted, telling.applications.submitted),
    Handler("relay.forward_withdrawal", applications.Withdrawn, relaying.forward_withdrawal),
    Handler("telling.expired", applications.Expired, telling.applications.expired),
)
_ANSWERS_OF_THE_REGISTRY = (
    Handler("relay.record", relay.RegistryMessageArrived, recording.open_and_record),
    Handler("taxes.declare", applications.Accepted, taxes.declare),
    Handler("telling.accepted", applications.Accepted, telling.applications.accepted),
    Handler("telling.correction_asked", applications.CorrectionAsked, telling.applications.correction_asked),
    Handler("telling.refused", applications.Refused, telling.applications.refused),
    Handler("telling.progress_notice", applications.NoticePushed, telling.applications.progress_notice),
    Handler("fees.fall_due", applications.FeeDue, fees.fall_due),
    Handler("telling.entered", applications.Entered, telling.applications.entered),
    Handler("telling.certificate_ready", certificates.CopyKept, telling.applications.certificate_ready),
)
_MONEY = (
    Handler("telling.fee_due", payments.OrderOpened, telling.applications.fee_due),
    Handler("payments.settle_notice", payments.NoticeArrived, paying.settle_notice),
    Handler("payments.poll", payments.AttemptOpened, paying.poll),
    Handler("fees.call_off", applications.Refused, fees.call_off),
    Handler("fees.settled", payments.PaymentSettled, fees.settled),
    Handler("telling.payment_settled", payments.PaymentSettled, telling.applications.payment_settled),
    Handler("relay.forward_fee", applications.FeeSettled, relaying.forward_fee),
    Handler("payments.refund", payments.RefundOpened, paying.give_back),
    Handler("telling.refund_settled", payments.RefundSettled, telling.applications.refund_settled),
    Handler("payments.fetch_bill", payments.BillDue, paying.fetch_bill),
    Handler("taxes.record", applications.TaxNoticeArrived, taxes.record),
    Handler("relay.forward_tax", applications.TaxCleared, relaying.forward_tax),
)
_PARCELS = (
    Handler("delivery.subscribe", delivery.Dispatched, posting.subscribe),
    Handler("telling.delivery_dispatched", delivery.Dispatched, telling.deliveries.dispatched),
    Handler("delivery.record_push", delivery.CarrierPushArrived, posting.record_push),
    Handler("delivery.poll", delivery.PollDue, posting.poll),
    Handler("telling.delivery_moved", delivery.StateChanged, telling.deliveries.moved),
    Handler("relay.forward_paper", delivery.PaperMoved, relaying.forward_paper),
)
_MESSAGES = (
    Handler("notifications.deliver", notifications.DeliveryQueued, sending.deliver),
    Handler("notifications.receipt", notifications.ReceiptDue, sending.record_receipt),
)

PLATFORM = (*_VISITS, *_APPLICATIONS, *_ANSWERS_OF_THE_REGISTRY, *_MONEY, *_PARCELS, *_MESSAGES)

REGISTRY = (
    Handler("registry.record", registry.PlatformMessageArrived, registering.record_message),
    Handler("registry.send", registry.MessageQueued, registering.send_message),
    Handler("registering.issue", registry.Entered, registering.issue),
    Handler("registering.issue_released", registry.CertificatesReleased, registering.issue),
    Handler("registering.send_certificate", certificates.Issued, registering.send_certificate),
    Handler("registering.send_status", certificates.StatusChanged, registering.send_status),
)


def handlers_of(role: str) -> tuple[Handler, ...]:
    """The handlers that a role subscribes."""
    sides = {"platform": PLATFORM, "registry": REGISTRY, "all": PLATFORM + REGISTRY}
    return sides[role]
