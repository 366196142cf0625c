"""Messages that were set aside: what stopped, and trying it again."""

from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.outbox.queries import Parked, parked
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Input, Query
from server.journeys.house import House
from server.staff import service
from server.staff.errors import ParkedRowNotFound


class Page(Query):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


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


class Empty(Input):
    """A command without content: `{}`."""


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of parked messages."""
    routes = Routes("outbox", "/staff/v1/outbox/parked", edge)

    @routes.get(
        "", access=staff("outbox.read"), summary="Messages set aside, oldest first", query=Page, answer=ParkedRows
    )
    async def read(call: Call[Page]) -> ParkedRows:
        page = call.input
        rows = await parked(after=page.cursor or "", limit=page.limit + 1)
        more = len(rows) > page.limit
        shown = rows[: page.limit]
        return ParkedRows(items=[_present(row) for row in shown], next=shown[-1].id if more else None)

    @routes.post(
        "/<row_id:str>/replay",
        access=staff("outbox.replay"),
        summary="Try a message again",
        body=Empty,
        answer=Replayed,
        errors=(ParkedRowNotFound,),
    )
    async def replay(call: Call[Empty], row_id: str) -> Replayed:
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
