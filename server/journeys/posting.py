"""Posting a certificate's paper: only the holder's own and only a valid one, and only once the old paper is back."""

from kit.idempotency import RequestKey
from server.certificates import queries as certificates
from server.certificates.errors import CertificateNotFound
from server.certificates.states import CertificateState
from server.delivery import queries as deliveries
from server.delivery import service as delivery
from server.delivery.errors import CertificateNotValid, OldCertificateNotRecalled
from server.delivery.events import CarrierPushArrived, Dispatched, PollDue
from server.delivery.service import Receiver
from server.identity import queries as residents
from server.journeys.house import House
from server.terms.scope import Scope


async def ask(house: House, *, resident_id: str, certificate_id: str, receiver: Receiver, key: RequestKey) -> str:
    """Ask for the paper of a certificate of one's own and answer the delivery's id.

    Errors: CERTIFICATE_NOT_FOUND also for another's, CERTIFICATE_NOT_VALID, DELIVERY_OPEN.
    """
    person = await residents.person(house.identity, resident_id=resident_id)
    copy = await certificates.copy_by_id(
        house.certificates, certificate_id=certificate_id, blind=person.id_number_blind
    )
    if copy.state != CertificateState.VALID:
        raise CertificateNotValid
    return await delivery.request(
        house.delivery,
        resident_id=resident_id,
        certificate_id=copy.id,
        certificate_number=copy.number,
        district=copy.district,
        receiver=receiver,
        key=key,
    )


async def dispatch(
    house: House,
    *,
    staff_id: str,
    scope: Scope,
    delivery_id: str,
    carrier: str,
    waybill: str,
    old_certificate_recalled: bool,
    key: RequestKey,
) -> str:
    """Record that the paper was sent, if its certificate is valid still and the paper it replaces is back.

    Errors: OLD_CERTIFICATE_NOT_RECALLED when the clerk states that there was none and the books know one;
    CERTIFICATE_NOT_VALID; those of `delivery.dispatch`.
    """
    wanted = await deliveries.one_in_scope(house.delivery, scope=scope, delivery_id=delivery_id)
    try:
        standing = await certificates.paper_standing(house.certificates, certificate_id=wanted.certificate_id)
    except CertificateNotFound:
        raise CertificateNotValid from None
    if standing.state != CertificateState.VALID:
        raise CertificateNotValid
    if standing.old_paper_outside and not old_certificate_recalled:
        raise OldCertificateNotRecalled
    return await delivery.dispatch(
        house.delivery,
        staff_id=staff_id,
        scope=scope,
        delivery_id=delivery_id,
        carrier=carrier,
        waybill=waybill,
        old_certificate_recalled=old_certificate_recalled,
        key=key,
    )


async def subscribe(house: House, event: Dispatched) -> None:
    """Ask the carrier to tell what becomes of the parcel."""
    await delivery.subscribe(house.delivery, delivery_id=event.delivery_id)


async def record_push(house: House, event: CarrierPushArrived) -> None:
    """Work on what the carrier told."""
    await delivery.record_push(house.delivery, inbox_id=event.inbox_id)


async def poll(house: House, event: PollDue) -> None:
    """Ask for a parcel of which nothing is heard."""
    await delivery.poll(house.delivery, delivery_id=event.delivery_id)
