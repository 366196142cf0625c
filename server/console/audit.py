"""The audit trail: who did what."""

from typing import Annotated, Any

from pydantic import Field
from sanic import Blueprint

from kit.audit.queries import Deed, search
from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer
from server.console.districts import check_whole_city
from server.journeys.house import House

_TEXT = Annotated[str, Field(min_length=1, max_length=64)]


class Search(Page):
    """All that is given must match."""

    actor_id: _TEXT | None = None
    subject_id: _TEXT | None = None
    action: _TEXT | None = None


class AuditEntry(Answer):
    """`seq` is the place in the hash chain, null until the row is sealed."""

    id: str
    at: str
    actor_kind: str
    actor_id: str
    action: str
    subject_kind: str
    subject_id: str
    result: str
    reason: str | None
    request_id: str
    details: dict[str, Any]
    seq: int | None


class AuditEntries(Answer):
    items: list[AuditEntry]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:  # noqa: ARG001 - every blueprint is made from the house
    """The routes of the audit trail."""
    routes = Routes("audit", "/staff/v1/audit", edge)

    @routes.get(
        "",
        access=staff("audit.read"),
        summary="Who did what, newest first",
        query=Search,
        answer=AuditEntries,
        errors=(PermissionMissing,),
    )
    async def read(call: Call[Search]) -> AuditEntries:
        check_whole_city(call, "审计记录")
        asked = call.input
        rows = await search(
            actor_id=asked.actor_id,
            subject_id=asked.subject_id,
            action=asked.action,
            before=asked.cursor,
            limit=asked.wanted,
        )
        shown, following = asked.cut(rows)
        return AuditEntries(items=[_present(row) for row in shown], next=following)

    return routes.blueprint


def _present(row: Deed) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=rfc3339(row.at),
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        action=row.action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        result=row.result,
        reason=row.reason,
        request_id=row.request_id,
        details=dict(row.details),
        seq=row.seq,
    )
