"""What becomes of the platform's events on the road up to the registry."""

from datetime import datetime
from typing import Any

from kit.clock import rfc3339
from kit.ids import new_id
from server.applications import queries as applications
from server.applications.events import FeeSettled, Submitted, TaxCleared, Withdrawn
from server.applications.records import ApplicationRecord
from server.applications.service import scope_of
from server.certificates import queries as certificates
from server.delivery import queries as deliveries
from server.delivery.events import PaperMoved
from server.journeys import packaging
from server.journeys.house import House
from server.relay import service as relay
from server.relay.rules import CASE_PACKAGE, PAPER
from server.terms.messages import UpMessage


async def forward_package(house: House, event: Submitted) -> None:
    """Bring every file over, then the package that names them; each submission is one message."""
    body = await packaging.build_package(house, event.application_id)
    scope = scope_of(event.application_id)
    for digest in dict.fromkeys(material["digest"] for material in body["materials"]):
        await house.relay.registry.put_material(application_id=event.application_id, scope=scope, digest=digest)
    message = UpMessage(new_id(), CASE_PACKAGE, event.application_id, house.clock.now(), body)
    submission = f"{CASE_PACKAGE}:{event.application_id}:{body['submitted_at']}"
    await relay.forward(house.relay, message=message, dedupe_key=submission)


async def forward_tax(house: House, event: TaxCleared) -> None:
    record = await applications.full(house.applications, application_id=event.application_id)
    await _forward(
        house,
        "evidence_tax",
        record,
        {
            "declaration_no": record.tax_declaration_no,
            "certificate_no": record.tax_certificate_no,
            "cleared_at": _moment(record.tax_cleared_at),
            "taxes": [{"tax": line.tax, "payer": line.payer, "amount_fen": line.amount_fen} for line in record.taxes],
        },
    )


async def forward_fee(house: House, event: FeeSettled) -> None:
    record = await applications.full(house.applications, application_id=event.application_id)
    await _forward(
        house,
        "evidence_fee",
        record,
        {
            "order_id": record.fee_order_id,
            "amount_fen": record.fee_amount_fen,
            "paid_at": _moment(record.fee_paid_at),
            "transaction_id": record.fee_transaction_id or "",
        },
    )


async def forward_withdrawal(house: House, event: Withdrawn) -> None:
    record = await applications.full(house.applications, application_id=event.application_id)
    await _forward(house, "withdrawal", record, {"withdrawn_at": rfc3339(house.clock.now()), "reason": ""})


async def forward_paper(house: House, event: PaperMoved) -> None:
    """Tell where a certificate's paper is now, and which old papers came back when it was sent; each once."""
    parcel = await deliveries.by_id(house.delivery, delivery_id=event.delivery_id)
    standing = await certificates.paper_standing(house.certificates, certificate_id=event.certificate_id)
    recalled = standing.old_papers_outside if parcel.old_certificate_recalled else ()
    body = {
        "application_id": standing.application_id,
        "certificate_id": event.certificate_id,
        "number": standing.number,
        "way": event.way,
        "happened_at": event.happened_at,
        "noted_at": event.noted_at,
        "carrier": parcel.carrier,
        "waybill": parcel.waybill,
        "signed_by": parcel.signed_by,
        "recalled": list(recalled),
    }
    message = UpMessage(new_id(), PAPER, standing.application_id, house.clock.now(), body)
    told = f"{PAPER}:{event.delivery_id}:{event.way}:{event.noted_at}"
    await relay.forward(house.relay, message=message, dedupe_key=told)


async def _forward(house: House, kind: str, record: ApplicationRecord, body: dict[str, Any]) -> None:
    message = UpMessage(new_id(), kind, record.id, house.clock.now(), {"application_id": record.id, **body})
    await relay.forward(house.relay, message=message)


def _moment(moment: datetime | None) -> str:
    if moment is None:
        raise ValueError("the event tells of something that has no time")
    return rfc3339(moment)
