"""How control endpoints read and answer: strict JSON in, JSON out, loopback only."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from sanic import HTTPResponse, Request, Sanic

from sandbox.addresses import LOOPBACK
from sandbox.answers import Refused, compact
from sandbox.people import Person
from sandbox.state import World

BASE = "/_control"


class Form(BaseModel):
    """Unknown fields are refused: a misspelt option of a test must not pass in silence."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Form):
    pass


F = TypeVar("F", bound=Form)
Action = Callable[[World, F, Request], Awaitable[dict[str, Any]]]


def add(app: "Sanic[Any, Any]", world: World, route: str, form: type[F], action: Action[F]) -> None:
    """`route` is "METHOD /path" below /_control."""
    method, path = route.split(" ")

    async def serve(request: Request, **_: str) -> HTTPResponse:
        try:
            if request.ip not in LOOPBACK:
                raise wrong("控制接口只限本机", status=403)
            status, answer = 200, await action(world, form.model_validate_json(request.body or b"{}"), request)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
            status, answer = 422, {"error": "; ".join(problems)}
        except Refused as refused:
            status, answer = refused.answer.status, refused.answer.body or {}
        return HTTPResponse(compact(answer), status, content_type="application/json; charset=utf-8")

    name = f"control-{method}-{path}".replace("/", "-").replace("<", "").replace(">", "").replace(":", "-")
    app.add_route(serve, f"{BASE}{path}", methods=[method], name=name)


def wrong(message: str, *, status: int = 422, **more: Any) -> Refused:
    return Refused(status, {"error": message, **more})


def person(world: World, key: str) -> Person:
    found = world.people.get(key)
    if found is None:
        raise wrong(f"there is no person {key}", status=404)
    return found
