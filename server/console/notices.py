"""What officers write to the parties of a case."""

from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.audit.service import Actor
from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from server.console.districts import scope_of
from server.journeys.house import House
from server.registry import errors, queries, service
from server.registry.queries import NoticeLine


class NoticeInput(Input):
    """At most 100 characters, with no identity number, phone number or bank card in it."""

    text: Annotated[str, Field(min_length=1, max_length=500)]


class Notice(Answer):
    """`sent_at`: when the platform had it, null while it is on its way."""

    id: str
    text: str
    pushed_at: str
    sent_at: str | None


class NoticeList(Answer):
    items: list[Notice]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of notices."""
    routes = Routes("notices", "/staff/v1/cases/<case_id:str>/notifications", edge)
    needs = house.registry

    @routes.get(
        "",
        access=staff("case.read"),
        summary="What the parties of a case were written, newest first",
        query=Page,
        answer=NoticeList,
        errors=(errors.CaseNotFound,),
    )
    async def read(call: Call[Page], case_id: str) -> NoticeList:
        page = call.input
        found = await queries.notices(
            needs, scope=scope_of(call), case_id=case_id, before=page.cursor, limit=page.wanted
        )
        shown, following = page.cut(found)
        return NoticeList(items=[_present(each) for each in shown], next=following)

    @routes.post(
        "",
        access=staff("case.notify"),
        summary="Write to the parties of a case",
        body=NoticeInput,
        answer=Notice,
        status=201,
        errors=(errors.CaseNotFound, errors.NoticeInvalid),
    )
    async def push(call: Call[NoticeInput], case_id: str) -> Notice:
        scope, text = scope_of(call), call.input.text
        pushed = await call.once(
            lambda key: service.push_notice(
                needs, actor=Actor("staff", call.who.id), scope=scope, case_id=case_id, text=text, key=key
            )
        )
        return _present(await queries.notice(needs, notice_id=pushed))

    return routes.blueprint


def _present(found: NoticeLine) -> Notice:
    return Notice(
        id=found.id,
        text=found.text,
        pushed_at=rfc3339(found.pushed_at),
        sent_at=rfc3339(found.sent_at) if found.sent_at else None,
    )
