"""What happens on residents' phones: login, phone number, face, subscriptions."""

from typing import Any, Literal

from pydantic import Field
from sanic import Request, Sanic

from sandbox.control.desk import Form, Nothing, add, person, wrong
from sandbox.state import World
from sandbox.wechat.face import PASSED


class PersonForm(Form):
    person: str


class FaceForm(PersonForm):
    verify_id: str
    outcome: Literal["pass", "mismatch", "unsupported", "cancel", "network", "no_camera", "timeout"] = "pass"


class SubscribeForm(PersonForm):
    template_ids: list[str] = Field(min_length=1)
    times: int = Field(default=1, ge=1)


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /wx/login", PersonForm, _login)
    add(app, world, "POST /wx/phone", PersonForm, _phone)
    add(app, world, "POST /wx/face", FaceForm, _face)
    add(app, world, "POST /wx/subscribe", SubscribeForm, _subscribe)
    add(app, world, "GET /wx/messages", Nothing, _messages)
    add(app, world, "POST /wx/forget_tokens", Nothing, _forget_tokens)


async def _login(world: World, form: PersonForm, _request: Request) -> dict[str, Any]:
    return {"code": world.login.give_login_code(person(world, form.person))}


async def _phone(world: World, form: PersonForm, _request: Request) -> dict[str, Any]:
    return {"code": world.login.give_phone_code(person(world, form.person))}


async def _face(world: World, form: FaceForm, _request: Request) -> dict[str, Any]:
    verify_ret = world.faces.perform(form.verify_id, person=person(world, form.person), outcome=form.outcome)
    if verify_ret is None:
        raise wrong("there is no such check to do: unknown, expired or passed already", status=404)
    return {"result": "ok" if verify_ret == PASSED else "fail", "verify_ret": verify_ret}


async def _subscribe(world: World, form: SubscribeForm, _request: Request) -> dict[str, Any]:
    unknown = [each for each in form.template_ids if not world.messages.knows(each)]
    if unknown:
        raise wrong("unknown template_ids", template_ids=unknown)
    openid = person(world, form.person).openid
    return {"accepts": {each: world.messages.accept(openid, each, form.times) for each in form.template_ids}}


async def _messages(world: World, _form: Nothing, request: Request) -> dict[str, Any]:
    key = request.args.get("person")
    return {"items": world.messages.sent_to(person(world, key).openid if key else None)}


async def _forget_tokens(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    world.tokens.forget()
    return {"result": "ok"}
