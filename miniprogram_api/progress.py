"""Progress of an application, step by step, and the documents it has brought so far."""

from sanic import Blueprint

from kit.clock import date_text, time_text
from kit.money import yuan
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer
from server.applications import errors, queries
from server.applications.records import ApplicationRecord
from server.identity.rules import Level
from server.journeys.house import House


class Step(Answer):
    code: str
    name: str
    at: str
    note: str


class Progress(Answer):
    id: str
    state: str
    state_text: str
    steps: list[Step]


class Document(Answer):
    """A document's content line by line; `kind` is receipt (收件回执) or acceptance (受理凭证)."""

    kind: str
    title: str
    number: str
    lines: list[str]


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of progress; that of the steps answers bytes, for the benchmark `progress_read`."""
    routes = Routes("progress", "/api/v1/applications", edge)
    needs = house.applications

    @routes.get(
        "/<application_id:str>/progress",
        access=resident(Level.REAL_NAME),
        summary="What has happened to my application so far",
        answer=Progress,
        errors=(errors.ApplicationNotFound,),
    )
    async def progress(call: Call[None], application_id: str) -> bytes:
        return await queries.progress(needs, application_id=application_id, resident_id=call.who.id)

    @routes.get(
        "/<application_id:str>/documents/<kind:str>",
        access=resident(Level.REAL_NAME),
        summary="The receipt or the acceptance voucher",
        answer=Document,
        errors=(errors.ApplicationNotFound, errors.DocumentNotReady),
    )
    async def document(call: Call[None], application_id: str, kind: str) -> Document:
        record = await queries.for_resident(needs, application_id=application_id, resident_id=call.who.id)
        if kind == "receipt":
            return _receipt(record)
        if kind == "acceptance":
            return _acceptance(record)
        raise errors.DocumentNotReady

    return routes.blueprint


def _receipt(record: ApplicationRecord) -> Document:
    if record.number is None or record.submitted_at is None:
        raise errors.DocumentNotReady
    lines = [
        f"收件编号：{record.number}",
        f"提交时间：{time_text(record.submitted_at)}",
        *_about(record),
        f"成交价格：{yuan(record.price_fen)}元",
        *(f"材料：{line}" for line in _received(record)),
        "本回执只说明我们收到了您的申请，是否受理以登记机构的受理凭证为准。",
    ]
    return Document(kind="receipt", title="收件回执", number=record.number, lines=lines)


def _acceptance(record: ApplicationRecord) -> Document:
    if record.case_number is None or record.accepted_at is None or record.promised_on is None:
        raise errors.DocumentNotReady
    lines = [
        f"受理编号：{record.case_number}",
        f"受理时间：{time_text(record.accepted_at)}",
        *_about(record),
        *(f"材料：{line}" for line in _received(record)),
        f"承诺办结日：{date_text(record.promised_on)}",
        f"查询：在小程序“我的申请”中查看进度，收件编号{record.number}",
    ]
    return Document(kind="acceptance", title="受理凭证", number=record.case_number, lines=lines)


def _about(record: ApplicationRecord) -> list[str]:
    return [
        f"业务：{record.requirements.name}",
        f"坐落：{record.unit.location}",
        f"不动产单元号：{record.unit.unit_code}",
    ]


def _received(record: ApplicationRecord) -> list[str]:
    counts = {line.code: 0 for line in record.requirements.materials}
    for file in record.files:
        counts[file.code] += 1
    lines = (line for line in record.requirements.materials if counts[line.code])
    return [f"{line.name}，{counts[line.code]}份文件" for line in lines]
