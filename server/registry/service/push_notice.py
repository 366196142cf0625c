"""A notice to the parties of a case, in an officer's own words: written once, however often the request comes."""

from kit.audit.service import Actor, record
from kit.clock import rfc3339
from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.registry.notices import cleaned
from server.registry.ports import Needs
from server.registry.service.decision import locked_case
from server.registry.service.messages import tell
from server.terms.scope import Scope


@transactional
async def push_notice(
    needs: Needs,
    *,
    actor: Actor,
    scope: Scope,
    case_id: str,
    text: str,
    key: RequestKey | None = None,
) -> str:
    """Send the parties a short text and answer the push's id; the case itself does not change.

    Errors: CASE_NOT_FOUND, NOTICE_INVALID.
    """
    words = cleaned(text)
    case = await locked_case(case_id=case_id, scope=scope)
    now = needs.clock.now()
    body = {"application_id": case.application_id, "text": words, "pushed_at": rfc3339(now)}
    push_id = await tell(needs, kind="notice", subject=new_id(), application_id=case.application_id, body=body)
    await record(
        actor=actor,
        action="registry.notice_pushed",
        subject=("case", case.id),
        details={"notice": push_id, "state": str(case.state)},
        at=now,
    )
    if key is not None:
        await key.settle(result_id=push_id, status=201)
    return push_id
