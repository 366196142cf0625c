"""Faults, the partners' clock, who exists, and what is on its way."""

from dataclasses import asdict
from typing import Any

from pydantic import Field
from sanic import Request, Sanic

from sandbox.control.desk import Form, Nothing, add, person, wrong
from sandbox.faults import Fault, Kind
from sandbox.people import Person, openid_of
from sandbox.state import World


class FaultForm(Form):
    target: str
    kind: Kind
    seconds: float = Field(default=0.0, ge=0)
    status: int = Field(default=503, ge=200, le=599)
    code: int | str | None = None
    after: bool = False
    times: int = Field(default=1, ge=0)


class ClockForm(Form):
    advance_seconds: float


class PersonForm(Form):
    key: str = Field(pattern=r"^[A-Za-z0-9]{1,14}$")
    name: str = Field(min_length=1)
    id_number: str = Field(min_length=15, max_length=18)
    phone: str = Field(pattern=r"^\d{11}$")
    homes: int = Field(default=0, ge=0)
    alive: bool = True


class PersonChange(Form):
    name: str | None = None
    phone: str | None = None
    homes: int | None = Field(default=None, ge=0)
    alive: bool | None = None


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /faults", FaultForm, _order_fault)
    add(app, world, "GET /faults", Nothing, _list_faults)
    add(app, world, "DELETE /faults", Nothing, _clear_faults)
    add(app, world, "GET /clock", Nothing, _read_clock)
    add(app, world, "POST /clock", ClockForm, _advance_clock)
    add(app, world, "GET /people", Nothing, _list_people)
    add(app, world, "POST /people", PersonForm, _add_person)
    add(app, world, "PATCH /people/<key:str>", PersonChange, _change_person)
    add(app, world, "GET /deliveries", Nothing, _list_deliveries)


async def _order_fault(world: World, form: FaultForm, _request: Request) -> dict[str, Any]:
    try:
        world.faults.add(Fault(**form.model_dump()))
    except ValueError as error:
        raise wrong(str(error)) from error
    return {"items": world.faults.pending()}


async def _list_faults(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": world.faults.pending()}


async def _clear_faults(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    world.faults.clear()
    return {"items": []}


async def _read_clock(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"now": world.clock.beijing(), "offset_seconds": world.clock.offset_seconds}


async def _advance_clock(world: World, form: ClockForm, request: Request) -> dict[str, Any]:
    world.clock.advance(form.advance_seconds)
    return await _read_clock(world, Nothing(), request)


async def _list_people(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": [_shown(each) for each in world.people.all()]}


async def _add_person(world: World, form: PersonForm, _request: Request) -> dict[str, Any]:
    if world.people.get(form.key):
        raise wrong(f"person {form.key} exists", status=409)
    return asdict(world.people.add(Person(openid=openid_of(form.key), **form.model_dump())))


async def _change_person(world: World, form: PersonChange, request: Request) -> dict[str, Any]:
    key = person(world, request.match_info["key"]).key
    return asdict(world.people.change(key, form.model_dump(exclude_none=True)))


async def _list_deliveries(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": list(world.courier.overview())}


def _shown(who: Person) -> dict[str, Any]:
    return asdict(who) | {"alipay_user_id": who.alipay_user_id, "alipay_open_id": who.alipay_open_id}
