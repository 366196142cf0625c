"""Messages that were set aside: what stopped, and trying it again."""

from sanic import Blueprint

from kit.clock import rfc3339
from kit.outbox.queries import Parked, parked
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty
from server.console.districts import check_whole_city
from server.journeys.house import House
from server.staff import service
from server.staff.errors import ParkedRowNotFound

_WHAT = "搁置任务"


class ParkedRow(Answer):
    """`error` is a kind and a code; it never quotes a person's data."""

    id: str
    event_name: str
    handler: str
    attempts: int
    error: str
    request_id: str
    created_at: str


class ParkedRows(Answer):
    items: list[ParkedRow]
    next: str | None


class Replayed(Answer):
    id: str


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of parked messages."""
    routes = Routes("outbox", "/staff/v1/outbox/parked", edge)

    @routes.get(
        "",
        access=staff("outbox.read"),
        summary="Messages set aside, oldest first",
        query=Page,
        answer=ParkedRows,
        errors=(PermissionMissing,),
    )
    async def read(call: Call[Page]) -> ParkedRows:
        check_whole_city(call, _WHAT)
        page = call.input
        shown, following = page.cut(await parked(after=page.cursor or "", limit=page.wanted))
        return ParkedRows(items=[_present(row) for row in shown], next=following)

    @routes.post(
        "/<row_id:str>/replay",
        access=staff("outbox.replay"),
        summary="Try a message again",
        body=Empty,
        answer=Replayed,
        errors=(PermissionMissing, ParkedRowNotFound),
    )
    async def replay(call: Call[Empty], row_id: str) -> Replayed:
        check_whole_city(call, _WHAT)
        done = await call.once(
            lambda key: service.replay_parked(house.staff, staff_id=call.who.id, row_id=row_id, key=key)
        )
        return Replayed(id=done)

    return routes.blueprint


def _present(row: Parked) -> ParkedRow:
    return ParkedRow(
        id=row.id,
        event_name=row.event_name,
        handler=row.handler,
        attempts=row.attempts,
        error=row.error or "",
        request_id=row.request_id,
        created_at=rfc3339(row.created_at),
    )
