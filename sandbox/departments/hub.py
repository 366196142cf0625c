"""The hub: signed questions under each source's own path, refused without a purpose and a legal basis."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sanic import Request

from sandbox.answers import Answer, Refused
from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.departments.records import Record, Records, Source
from sandbox.yc_door import YcDoor

_GRANTED = {
    Source.MARRIAGE: frozenset({"status", "registered_on", "spouse_name", "spouse_id_number_masked"}),
    Source.HOUSEHOLD: frozenset({"name", "relation", "minor"}),
}
_PREFIX = {Source.MARRIAGE: "MZ", Source.HOUSEHOLD: "GA"}
_SHORTEST = 4  # a purpose or a legal basis that says something


class _Subject(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    id_number: Annotated[str, Field(min_length=8, max_length=18)]


class QuestionForm(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    request_no: Annotated[str, Field(min_length=8, max_length=64)]
    purpose: Annotated[str, Field(max_length=255)] = ""
    legal_basis: Annotated[str, Field(max_length=255)] = ""
    fields: Annotated[list[str], Field(min_length=1, max_length=20)]
    subject: _Subject


class Hub:
    def __init__(self, *, door: YcDoor, clock: Clock, books: Books, records: Records) -> None:
        self.door = door
        self.records = records
        self._clock = clock
        self._books = books
        self._answers: dict[str, tuple[str, dict[str, Any]]] = {}
        self._asked = 0

    def status(self, request: Request) -> Answer:
        """Whether the hub takes the city's signature; nobody's data."""
        self.door.check(request)
        return Answer(200, {"status": "ok", "at": self._clock.beijing()})

    def handler(self, source: Source) -> Callable[[Request], Answer]:
        return lambda request: self._ask(source, request)

    def questions(self) -> list[dict[str, Any]]:
        """Every question that was answered, as the hub keeps them for the departments' own audit."""
        return list(self._books.read("department_questions"))

    def _ask(self, source: Source, request: Request) -> Answer:
        self.door.check(request)
        form = _read(request.body)
        _check_right(form, _GRANTED[source])
        digest = hashlib.sha256(source.value.encode() + form.model_dump_json().encode()).hexdigest()
        known = self._answers.get(form.request_no)
        if known is None:
            known = self._answers[form.request_no] = digest, self._answer(source, form)
        elif known[0] != digest:
            raise Refused(409, {"code": "REQUEST_NO_USED", "message": "该查询编号已用于另一查询"})
        return Answer(200, known[1])

    def _answer(self, source: Source, form: QuestionForm) -> dict[str, Any]:
        found = self.records.find(source, form.subject.id_number)
        result = "not_found" if found is None else "found" if found.name == form.subject.name else "mismatch"
        self._asked += 1
        answer = {
            "request_no": form.request_no,
            "answer_no": f"{_PREFIX[source]}{self._clock.timestamp()}{self._asked:04d}",
            "answered_at": self._clock.beijing(),
            "result": result,
            "record": _granted(found, form.fields) if found and result == "found" else None,
        }
        self._books.write("department_questions", {"source": source.value, **form.model_dump(), "result": result})
        return answer


def _read(body: bytes) -> QuestionForm:
    try:
        return QuestionForm.model_validate_json(body)
    except ValidationError as error:
        fields = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        raise Refused(400, {"code": "BODY_INVALID", "message": "查询内容有误", "fields": fields}) from error


def _check_right(form: QuestionForm, granted: frozenset[str]) -> None:
    if len(form.purpose.strip()) < _SHORTEST:
        raise Refused(422, {"code": "PURPOSE_MISSING", "message": "未写明使用目的，不予共享"})
    if len(form.legal_basis.strip()) < _SHORTEST:
        raise Refused(422, {"code": "LEGAL_BASIS_MISSING", "message": "未写明法律依据，不予共享"})
    if not granted.issuperset(form.fields):
        raise Refused(403, {"code": "FIELD_NOT_GRANTED", "message": "申请的数据项超出授权范围"})


def _granted(record: Record, fields: list[str]) -> dict[str, Any]:
    """No more than was asked for."""
    data = record.data
    if "members" in data:
        return {"members": [{name: each[name] for name in fields} for each in data["members"]]}
    return {name: data[name] for name in fields}
