"""The departments: what they have on file, and what they were asked."""

from typing import Any

from pydantic import model_validator
from sanic import Request, Sanic

from sandbox.control.desk import Form, Nothing, add, person
from sandbox.departments.records import Record, Source
from sandbox.state import World

_STATUSES = {"unmarried", "married", "divorced", "widowed"}


class RecordForm(Form):
    """What is on file from now on; `record` null for no record, `name` where the department spells it otherwise.

    A marriage: status, registered_on, spouse_name, spouse_id_number_masked. A household: members, each with name,
    relation and minor.
    """

    source: Source
    person: str
    name: str | None = None
    record: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _known(self) -> "RecordForm":
        if self.record is None:
            return self
        shape = {"status", "registered_on", "spouse_name", "spouse_id_number_masked"}
        wanted = shape if self.source is Source.MARRIAGE else {"members"}
        if set(self.record) != wanted:
            raise ValueError(f"a record of {self.source} has {sorted(wanted)}")
        if self.source is Source.MARRIAGE and self.record["status"] not in _STATUSES:
            raise ValueError(f"status is one of {sorted(_STATUSES)}")
        return self


def mount(app: "Sanic[Any, Any]", world: World) -> None:
    add(app, world, "POST /departments/records", RecordForm, _change)
    add(app, world, "GET /departments/questions", Nothing, _questions)


async def _change(world: World, form: RecordForm, _request: Request) -> dict[str, Any]:
    who = person(world, form.person)
    record = Record(form.name or who.name, form.record) if form.record is not None else None
    world.hub.records.change(form.source, who, record)
    return {"person": who.key, "source": form.source.value, "record": form.record}


async def _questions(world: World, _form: Nothing, _request: Request) -> dict[str, Any]:
    return {"items": world.hub.questions()}
