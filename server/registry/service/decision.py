"""What every step of an officer has in common: the case locked within scope, and the step written down."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kit.audit.service import Actor, record
from kit.idempotency import RequestKey
from kit.ids import new_id
from server.registry import rules
from server.registry.errors import CaseNotFound
from server.registry.models import RegistryCase, RegistryCaseEntry, RegistryDecision
from server.registry.ports import Needs
from server.terms.scope import Scope

CONTENT = "registry_decision.content_sealed"


async def locked_case(*, case_id: str, scope: Scope) -> RegistryCase:
    """The case, nobody else's until the transaction ends; CASE_NOT_FOUND also for another district's."""
    case = await RegistryCase.filter(id=case_id).select_for_update().get_or_none()
    if case is None or not scope.allows(case.district):
        raise CaseNotFound
    return case


async def begin(
    needs: Needs, *, action: str, case_id: str, scope: Scope, version: int | None
) -> tuple[RegistryCase, datetime]:
    """The locked case, if its state and the version the officer saw allow the action."""
    case = await locked_case(case_id=case_id, scope=scope)
    rules.check_version(version, case.version)
    rules.check_state(action, case.state)
    return case, needs.clock.now()


async def save(case: RegistryCase, *, now: datetime) -> None:
    case.version += 1
    case.updated_at = now
    await case.save()


async def decide(
    needs: Needs,
    case: RegistryCase,
    *,
    kind: str,
    result: str,
    content: Mapping[str, Any],
    staff_id: str,
    key: RequestKey | None,
) -> str:
    """Write the decision and the audit record, settle the request's key, and answer the decision's id."""
    decision_id, now = new_id(), needs.clock.now()
    await RegistryDecision.create(
        id=decision_id,
        case_id=case.id,
        kind=kind,
        result=result,
        content_sealed=needs.cipher.seal_json(content, (CONTENT, decision_id)),
        decided_by=staff_id,
        decided_at=now,
    )
    await record(
        actor=Actor("staff", staff_id),
        action=f"registry.{kind}",
        subject=("case", case.id),
        result=result,
        details={"decision": decision_id, "state": str(case.state)},
        at=now,
    )
    if key is not None:
        await key.settle(result_id=case.id, status=200)
    return decision_id


async def entries_of(case: RegistryCase) -> list[RegistryCaseEntry]:
    return await RegistryCaseEntry.filter(case_id=case.id).order_by("position")
