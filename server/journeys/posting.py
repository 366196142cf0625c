"""Posting a certificate's paper: only one's own valid one, once the old one is back; and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from kit.idempotency import RequestKey
from server.certificates import queries as certificates
from server.certificates.errors import CertificateNotFound
from server.certificates.queries import CopyRecord
from server.certificates.states import CertificateState, PaperState, paper_text
from server.delivery import queries as deliveries
from server.delivery import service as delivery
from server.delivery.errors import (
    CertificateNotValid,
    OldCertificateNotRecalled,
    PaperWithHolder,
    ReceiverNotHolder,
)
from server.delivery.events import CarrierPushArrived, Dispatched, PollDue
from server.delivery.service import Receiver
from server.identity import queries as residents
from server.journeys.house import House
from server.terms.scope import Scope

_THE_POST_KNOWS = frozenset((PaperState.NOT_PRINTED, PaperState.POSTED, PaperState.LOST))
"""What the register says of a paper of which the delivery may know more already."""
_SIGNED_FOR = "纸质证书已由收件人本人签收"


@dataclass(frozen=True, slots=True)
class Paper:
    """Where a certificate's paper is, in our word and in those its holder reads."""

    state: str
    text: str


async def papers(house: House, copies: Sequence[CopyRecord]) -> list[Paper]:
    """Where each certificate's paper is: as the register says, and where the post has it, as the delivery does."""
    unknown = [copy.id for copy in copies if copy.paper_state in _THE_POST_KNOWS]
    sent = await deliveries.posted(house.delivery, certificate_ids=unknown) if unknown else {}
    return [_paper(copy, signed=sent.get(copy.id)) for copy in copies]


def _paper(copy: CopyRecord, *, signed: bool | None) -> Paper:
    """`signed` is None for a paper that was not sent."""
    if signed is None:
        return Paper(copy.paper_state, paper_text(copy.paper_state))
    if signed:
        return Paper(PaperState.WITH_HOLDER.value, _SIGNED_FOR)
    return Paper(PaperState.POSTED.value, paper_text(PaperState.POSTED.value))


async def ask(house: House, *, resident_id: str, certificate_id: str, receiver: Receiver, key: RequestKey) -> str:
    """Ask for the paper of a certificate of one's own and answer the delivery's id.

    It goes into its holder's own hands: whoever signs shows an ID card. Errors: CERTIFICATE_NOT_FOUND also for
    another's, CERTIFICATE_NOT_VALID, PAPER_WITH_HOLDER, RECEIVER_NOT_HOLDER, DELIVERY_OPEN.
    """
    person = await residents.person(house.identity, resident_id=resident_id)
    copy = await certificates.copy_by_id(
        house.certificates, certificate_id=certificate_id, blind=person.id_number_blind
    )
    if copy.state != CertificateState.VALID:
        raise CertificateNotValid
    if copy.paper_state == PaperState.WITH_HOLDER:
        raise PaperWithHolder
    if receiver.name != person.name:
        raise ReceiverNotHolder
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
    if standing.old_papers_outside and not old_certificate_recalled:
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
