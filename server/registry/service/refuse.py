from kit.clock import rfc3339
from kit.db import transactional
from kit.idempotency import RequestKey
from server.registry.models import RegistryClaim
from server.registry.ports import Needs
from server.registry.rules import CaseState
from server.registry.service.decision import begin, decide, save
from server.registry.service.messages import tell
from server.terms.scope import Scope


@transactional
async def refuse(
    needs: Needs,
    *,
    staff_id: str,
    scope: Scope,
    case_id: str,
    ground: str,
    opinion: str,
    version: int | None = None,
    key: RequestKey | None = None,
) -> None:
    """Refuse acceptance (不予受理), or registration (不予登记) once accepted; the unit is free again.

    Errors: CASE_NOT_FOUND, CASE_STALE, CASE_STATE_WRONG. 不动产登记暂行条例第17、22条.
    """
    case, now = await begin(needs, action="refusal", case_id=case_id, scope=scope, version=version)
    stage = "registration" if case.state == CaseState.ACCEPTED else "acceptance"
    case.state = CaseState.REFUSED
    await save(case, now=now)
    await RegistryClaim.filter(case_id=case.id).delete()
    content = {"ground": ground, "opinion": opinion}
    await decide(needs, case, kind="refusal", result=stage, content=content, staff_id=staff_id, key=key)
    body = {"application_id": case.application_id, "stage": stage, "refused_at": rfc3339(now), **content}
    await tell(needs, kind="refusal", subject=case.id, application_id=case.application_id, body=body)
