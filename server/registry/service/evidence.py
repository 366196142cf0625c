from kit.audit.service import record
from kit.db import transactional
from server.registry import rules
from server.registry.errors import CaseNotHereYet
from server.registry.events import CertificatesReleased
from server.registry.gates import blockers
from server.registry.models import RegistryCase, RegistryTrack
from server.registry.ports import Needs
from server.registry.rules import CaseState
from server.registry.service.decision import save
from server.registry.service.receive_package import PLATFORM
from server.terms.messages import UpMessage

EVIDENCE = "registry_track.evidence_sealed"
_TRACKS = {"evidence_tax": rules.TAX, "evidence_fee": rules.FEE}


@transactional
async def record_evidence(needs: Needs, *, message: UpMessage) -> None:
    """Close the track that the platform brings the proof for; the same evidence again changes nothing.

    A fee settled after the entry releases the certificates. Raises CaseNotHereYet.
    """
    case = await RegistryCase.filter(application_id=message.application_id).select_for_update().get_or_none()
    if case is None:
        raise CaseNotHereYet(message.application_id)
    track = await RegistryTrack.get_or_none(case_id=case.id, code=_TRACKS[message.kind])
    if track is None or track.state == rules.DONE:
        return
    now = needs.clock.now()
    track.state, track.updated_at = rules.DONE, now
    track.evidence_sealed = needs.cipher.seal_json(dict(message.body), (EVIDENCE, track.id))
    await track.save()
    await save(case, now=now)
    await record(
        actor=PLATFORM,
        action="registry.evidence_received",
        subject=("case", case.id),
        details={"track": track.code, "message": message.id},
        at=now,
    )
    if case.state == CaseState.ENTERED and not await blockers(needs, case, gate="certificate"):
        await needs.outbox.publish(CertificatesReleased(case.id, case.application_id))
