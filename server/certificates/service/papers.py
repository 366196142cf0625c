"""Where the paper of a certificate is, as the platform tells the registry: posted, handed over, come back, lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.errors import Permanent
from kit.ids import new_id
from server.certificates import rules
from server.certificates.events import StatusChanged
from server.certificates.models import CertificateIssued, CertificatePaperMove
from server.certificates.ports import Needs
from server.certificates.states import CertificateState, PaperState

PLATFORM = Actor("system", "platform")


@dataclass(frozen=True, slots=True)
class PaperNews:
    """What one message says; `recalled` are the void certificates whose papers came back for this one."""

    message_id: str
    certificate_id: str
    way: str
    happened_at: datetime
    noted_at: datetime
    carrier: str | None = None
    waybill: str | None = None
    signed_by: str | None = None
    recalled: Sequence[str] = ()


@transactional
async def record_paper(needs: Needs, *, news: PaperNews) -> None:
    """Keep it once as the record of handing over (发证), and move the paper unless something later is known.

    Permanent for a certificate that was never made here.
    """
    row = await CertificateIssued.filter(id=news.certificate_id).select_for_update().get_or_none()
    if row is None:
        raise Permanent("news of the paper of a certificate that is not there")
    if await CertificatePaperMove.exists(message_id=news.message_id):
        return
    later = await CertificatePaperMove.exists(certificate_id=row.id, noted_at__gt=news.noted_at)
    await _keep(needs, news)
    if not later:
        state = rules.paper_state(news.way, valid=row.state == CertificateState.VALID)
        await _move(needs, row, state)
    for certificate_id in news.recalled:
        await _take_back(needs, certificate_id, by=row.id)


async def _keep(needs: Needs, news: PaperNews) -> None:
    now = needs.clock.now()
    await CertificatePaperMove.create(
        id=new_id(),
        certificate_id=news.certificate_id,
        message_id=news.message_id,
        way=news.way,
        happened_at=news.happened_at,
        noted_at=news.noted_at,
        carrier=news.carrier,
        waybill=news.waybill,
        signed_by=news.signed_by,
        created_at=now,
    )
    await record(
        actor=PLATFORM,
        action="certificate.paper_moved",
        subject=("certificate", news.certificate_id),
        details={"way": news.way, "message": news.message_id},
        at=now,
    )


async def _take_back(needs: Needs, certificate_id: str, *, by: str) -> None:
    """Only a paper that this very certificate replaced and that is still outside."""
    old = await CertificateIssued.filter(id=certificate_id, superseded_by=by).select_for_update().get_or_none()
    if old is not None and old.paper_state == PaperState.TO_BE_RETURNED:
        await _move(needs, old, PaperState.RETURNED)


async def _move(needs: Needs, row: CertificateIssued, state: PaperState) -> None:
    if row.paper_state == state:
        return
    now = needs.clock.now()
    row.paper_state = state
    row.changed_at, row.updated_at = rules.next_change(row.changed_at, now), now
    row.version += 1
    await row.save()
    await needs.outbox.publish(StatusChanged(row.id, row.application_id))
