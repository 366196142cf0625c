"""Text messages on residents' phones, and what the operator does with them."""

from typing import Any

from pydantic import Field
from sanic import Request, Sanic

from sandbox.control.desk import Form, Nothing, add, person, wrong
from sandbox.sms.cloud import Outcome
from sandbox.state import World


class OutcomeForm(Form):
    """`silent`: the operator says nothing until told to; `unsubscribed`: the person wants no messages any more."""

    person: str
    outcome: Outcome


class ReportForm(Form):
    serial: str
    report: str = Field(default="DELIVRD", pattern=r"^[A-Z0-9_:]{1,32}$")


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "GET /sms/messages", Nothing, _messages)
    add(app, world, "POST /sms/outcome", OutcomeForm, _outcome)
    add(app, world, "POST /sms/report", ReportForm, _report)


async def _messages(world: World, _form: Nothing, request: Request) -> dict[str, Any]:
    key = request.args.get("person")
    return {"items": world.sms.sent_to(person(world, key).phone if key else None)}


async def _outcome(world: World, form: OutcomeForm, _request: Request) -> dict[str, Any]:
    world.sms.set_outcome(person(world, form.person).phone, form.outcome)
    return {"result": "ok"}


async def _report(world: World, form: ReportForm, _request: Request) -> dict[str, Any]:
    if not world.sms.report(form.serial, form.report):
        raise wrong("there is no such message", status=404)
    return {"result": "ok"}
