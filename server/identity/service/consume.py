from kit.audit.service import Actor, record
from kit.db import transactional
from server.identity.errors import FaceCheckNotFound
from server.identity.models import FaceCheck
from server.identity.ports import Needs
from server.identity.rules import CheckFacts, to_consume


@transactional
async def consume_face_check(
    needs: Needs, *, check_id: str, resident_id: str, action: str, digest: str, consumed_by: str
) -> None:
    """Use a passed check up for exactly what it was opened for; again by the same `consumed_by` changes nothing.

    Errors: FACE_CHECK_NOT_FOUND, FACE_CHECK_MISMATCH, FACE_CHECK_USED, FACE_CHECK_NOT_PASSED, FACE_CHECK_EXPIRED.
    """
    now = needs.clock.now()
    check = await FaceCheck.filter(id=check_id, resident_id=resident_id).select_for_update().get_or_none()
    if check is None:
        raise FaceCheckNotFound
    facts = CheckFacts(check.action, check.digest, check.state, check.expires_at, check.consumed_by)
    if not to_consume(facts, action=action, digest=digest, consumed_by=consumed_by, now=now):
        return
    check.consumed_by, check.consumed_at = consumed_by, now
    await check.save(update_fields=["consumed_by", "consumed_at"])
    actor = Actor("resident", resident_id)
    await record(actor=actor, action="identity.face_check_consumed", subject=("face_check", check_id), at=now)
