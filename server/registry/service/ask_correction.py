from collections.abc import Sequence
from datetime import timedelta

from kit.clock import local_date, rfc3339
from kit.db import transactional
from kit.idempotency import RequestKey
from server.registry.ports import Needs
from server.registry.rules import CaseState
from server.registry.service.decision import begin, decide, save
from server.registry.service.messages import tell
from server.terms.scope import Scope


@transactional
async def ask_correction(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    case_id: str,
    items: Sequence[str],
    deadline_days: int,
    version: int | None = None,
    key: RequestKey | None = None,
) -> None:
    """Ask for everything that must be corrected, at once (一次性告知); acceptance and its clock wait.

    `deadline_days` counts calendar days from today. Errors: CASE_NOT_FOUND, CASE_STALE, CASE_STATE_WRONG.
    """
    case, now = await begin(needs, action="correction", case_id=case_id, scope=scope, version=version)
    case.state = CaseState.CORRECTION_ASKED
    await save(case, now=now)
    deadline = local_date(now) + timedelta(days=deadline_days)
    content = {"items": list(items), "deadline": deadline.isoformat()}
    decision = await decide(needs, case, kind="correction", result="asked", content=content, staff_id=staff_id, key=key)
    body = {"application_id": case.application_id, "asked_at": rfc3339(now), **content}
    await tell(needs, kind="correction_notice", subject=decision, application_id=case.application_id, body=body)
