"""What the registry told, put where it belongs: each kind of message to the feature that keeps it."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any

from kit.errors import Permanent
from server.applications import service as applications
from server.certificates import service as certificates
from server.certificates.request import HolderValues, ReceivedCertificate
from server.certificates.states import CertificateState
from server.journeys.house import House
from server.relay import service as relay
from server.relay.events import RegistryMessageArrived
from server.terms.messages import DownMessage


async def open_and_record(house: House, event: RegistryMessageArrived) -> None:
    """Record what the registry told."""
    await record(house, await relay.open_down(house.relay, inbox_id=event.inbox_id))


async def record(house: House, message: DownMessage) -> None:
    """Record one message, once however often it comes; Permanent for a kind nobody knows."""
    recorder = _RECORDERS.get(message.kind)
    if recorder is None:
        raise Permanent(f"unknown kind of message: {message.kind}")
    await recorder(house, message)


async def _acceptance(house: House, message: DownMessage) -> None:
    body = message.body
    await applications.record_acceptance(
        house.applications,
        application_id=message.application_id,
        case_number=body["case_number"],
        accepted_at=datetime.fromisoformat(body["accepted_at"]),
        promised_on=date.fromisoformat(body["promised_on"]),
        message_id=message.id,
    )


async def _correction_notice(house: House, message: DownMessage) -> None:
    await applications.record_correction(
        house.applications,
        application_id=message.application_id,
        items=list(message.body["items"]),
        deadline=date.fromisoformat(message.body["deadline"]),
        asked_at=datetime.fromisoformat(message.body["asked_at"]),
        message_id=message.id,
    )


async def _refusal(house: House, message: DownMessage) -> None:
    await applications.record_refusal(
        house.applications,
        application_id=message.application_id,
        ground=message.body["ground"],
        opinion=message.body["opinion"],
        refused_at=datetime.fromisoformat(message.body["refused_at"]),
        message_id=message.id,
    )


async def _step(house: House, message: DownMessage) -> None:
    body = message.body
    await applications.record_step(
        house.applications,
        application_id=message.application_id,
        track=body["track"],
        state=body["state"],
        at=datetime.fromisoformat(body["at"]),
        message_id=message.id,
    )


async def _notice(house: House, message: DownMessage) -> None:
    await applications.record_notice(
        house.applications,
        application_id=message.application_id,
        text=message.body["text"],
        pushed_at=datetime.fromisoformat(message.body["pushed_at"]),
        message_id=message.id,
    )


async def _entered(house: House, message: DownMessage) -> None:
    await applications.record_entry(
        house.applications,
        application_id=message.application_id,
        entered_at=datetime.fromisoformat(message.body["entered_at"]),
        message_id=message.id,
    )


async def _certificate(house: House, message: DownMessage) -> None:
    """Keep the copy first: an application that says its certificate is made must be able to show it."""
    body = message.body
    await certificates.keep_copy(house.certificates, received=_received(body, message.application_id))
    if message.application_id:
        await applications.record_certificate(
            house.applications,
            application_id=message.application_id,
            certificate_id=body["certificate_id"],
            number=body["number"],
            made_at=message.sent_at,
            message_id=message.id,
        )


def _received(body: Mapping[str, Any], application_id: str) -> ReceivedCertificate:
    return ReceivedCertificate(
        certificate_id=body["certificate_id"],
        application_id=application_id,
        number=body["number"],
        kind=body["kind"],
        unit_code=body["unit_code"],
        district=body["district"],
        location=body["location"],
        registered_on=date.fromisoformat(body["registered_on"]),
        state=body["state"],
        co_ownership=body["co_ownership"],
        paper_state=body["paper_state"],
        holders=tuple(_holder(each) for each in body["holders"]),
        credential=body["credential"],
        pdf=base64.b64decode(body["pdf_base64"], validate=True),
        pdf_digest=body["pdf_digest"],
    )


def _holder(holder: Mapping[str, Any]) -> HolderValues:
    return HolderValues(
        name=holder["name"],
        id_kind=holder["id_kind"],
        id_number=holder["id_number"],
        share_numerator=holder["share_numerator"],
        share_denominator=holder["share_denominator"],
    )


async def _status_change(house: House, message: DownMessage) -> None:
    """Of a certificate that stands, where its paper is belongs to the progress of the application that brought it."""
    body = message.body
    changed_at = datetime.fromisoformat(body["changed_at"])
    application_id = await certificates.change_status(
        house.certificates,
        certificate_id=body["certificate_id"],
        state=body["state"],
        changed_at=changed_at,
        superseded_by=body["superseded_by"],
        paper_state=body["paper_state"],
    )
    if application_id and body["state"] == CertificateState.VALID:
        await applications.record_paper(
            house.applications,
            application_id=application_id,
            paper_state=body["paper_state"],
            number=body["number"],
            at=changed_at,
            message_id=message.id,
        )


_RECORDERS: Mapping[str, Callable[[House, DownMessage], Awaitable[None]]] = {
    "acceptance": _acceptance,
    "correction_notice": _correction_notice,
    "refusal": _refusal,
    "step": _step,
    "notice": _notice,
    "entered": _entered,
    "certificate": _certificate,
    "status_change": _status_change,
}
