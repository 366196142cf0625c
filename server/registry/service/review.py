from typing import Literal

from kit.clock import rfc3339
from kit.db import transactional
from kit.idempotency import RequestKey
from server.registry import rules
from server.registry.errors import CaseStateWrong
from server.registry.models import RegistryTrack
from server.registry.ports import Needs
from server.registry.service.decision import begin, decide, save
from server.registry.service.messages import tell
from server.terms.scope import Scope

_TRACK_STATES = {"passed": rules.DONE, "rejected": rules.FAILED}


@transactional
async def review(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    case_id: str,
    result: Literal["passed", "rejected"],
    opinion: str,
    version: int | None = None,
    key: RequestKey | None = None,
) -> None:
    """Close the review (审核); a rejected one may be reviewed again or the case refused.

    Errors: CASE_NOT_FOUND, CASE_STALE, CASE_STATE_WRONG.
    """
    case, now = await begin(needs, action="review", case_id=case_id, scope=scope, version=version)
    track = await RegistryTrack.get_or_none(case_id=case.id, code=rules.REVIEW)
    if track is None or track.state not in {rules.OPEN, rules.FAILED}:
        raise CaseStateWrong
    track.state, track.updated_at = _TRACK_STATES[result], now
    await track.save()
    await save(case, now=now)
    decision = await decide(
        needs, case, kind="review", result=result, content={"opinion": opinion}, staff_id=staff_id, key=key
    )
    body = {
        "application_id": case.application_id,
        "track": rules.REVIEW,
        "state": track.state,
        "at": rfc3339(now),
    }
    await tell(needs, kind="step", subject=decision, application_id=case.application_id, body=body)
