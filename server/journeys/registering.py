"""The registry side: what arrives from the platform, what is told to it, and the certificates of an entered case."""

import base64
from datetime import datetime

from kit.errors import Permanent
from server.certificates import queries as issued_queries
from server.certificates import service as certificates
from server.certificates.events import Issued, StatusChanged
from server.certificates.service import PaperNews
from server.journeys.house import House
from server.journeys.issuing import issue_one, request_of
from server.journeys.seeding import seed_demo
from server.registry import service as registry
from server.registry.due import due_certificates
from server.registry.events import CertificatesReleased, Entered, MessageQueued, PlatformMessageArrived
from server.terms.messages import UpMessage

__all__ = ["issue", "record_message", "seed_demo", "send_certificate", "send_message", "send_status"]


async def record_message(house: House, event: PlatformMessageArrived) -> None:
    """Work on a message from the platform."""
    message = await registry.open_up(house.registry, inbox_id=event.inbox_id)
    match message.kind:
        case "case_package" | "correction":
            await registry.receive_package(house.registry, message=message)
        case "evidence_tax" | "evidence_fee":
            await registry.record_evidence(house.registry, message=message)
        case "withdrawal":
            await registry.withdraw(house.registry, message=message)
        case "paper":
            await certificates.record_paper(house.certificates, news=_paper_news(message))
        case _:
            raise Permanent(f"no way to work on {message.kind}")


def _paper_news(message: UpMessage) -> PaperNews:
    body = message.body
    return PaperNews(
        message_id=message.id,
        certificate_id=body["certificate_id"],
        way=body["way"],
        happened_at=datetime.fromisoformat(body["happened_at"]),
        noted_at=datetime.fromisoformat(body["noted_at"]),
        carrier=body["carrier"],
        waybill=body["waybill"],
        signed_by=body["signed_by"],
        recalled=body["recalled"],
    )


async def send_message(house: House, event: MessageQueued) -> None:
    """Send what was queued down to the platform."""
    await registry.send_message(house.registry, message_id=event.message_id)


async def issue(house: House, event: Entered | CertificatesReleased) -> None:
    """Make the certificates of an entered case, unless a track still holds them up."""
    due = await due_certificates(house.registry, case_id=event.case_id)
    for certificate in due.certificates:
        await issue_one(house, request_of(due, certificate), positions=certificate.holder_positions)


async def send_certificate(house: House, event: Issued) -> None:
    """Queue a certificate for the platform, whole."""
    record = await issued_queries.issued(house.certificates, certificate_id=event.certificate_id)
    pdf = await issued_queries.issued_pdf(house.certificates, record=record)
    body = {
        "application_id": record.application_id,
        "certificate_id": record.id,
        "number": record.number,
        "kind": record.kind,
        "unit_code": record.unit_code,
        "district": record.district,
        "location": record.location,
        "registered_on": record.registered_on.isoformat(),
        "state": record.state,
        "holders": [
            {
                "name": holder.name,
                "id_kind": holder.id_kind,
                "id_number": holder.id_number,
                "share_numerator": holder.share_numerator,
                "share_denominator": holder.share_denominator,
            }
            for holder in record.holders
        ],
        "co_ownership": record.co_ownership,
        "paper_state": record.paper_state,
        "credential": record.credential,
        "pdf_base64": base64.b64encode(pdf).decode(),
        "pdf_digest": record.pdf_digest,
    }
    await registry.queue_message(
        house.registry, kind="certificate", subject=record.id, application_id=record.application_id, body=body
    )


async def send_status(house: House, event: StatusChanged) -> None:
    """Queue what became of a certificate."""
    record = await issued_queries.issued(house.certificates, certificate_id=event.certificate_id)
    if record.changed_at is None:
        raise Permanent("a status that changed has a time")
    body = {
        "certificate_id": record.id,
        "number": record.number,
        "state": record.state,
        # To the microsecond: of two changes within one second the platform keeps the later one.
        "changed_at": record.changed_at.isoformat(),
        "superseded_by": record.superseded_by,
        "paper_state": record.paper_state,
    }
    # The certificate's own line, not its application's: its copy went down the same way.
    subject = f"{record.id}:{body['changed_at']}"
    await registry.queue_message(house.registry, kind="status_change", subject=subject, application_id="", body=body)
