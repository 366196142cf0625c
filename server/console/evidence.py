"""What departments shared about a case's parties, readable: label and text in Chinese, instead of the file itself."""

from sanic import Blueprint

from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer
from server.console.districts import scope_of
from server.journeys.house import House
from server.registry import errors, service
from server.terms.evidence import MIME, Evidence, EvidenceUnreadable


class ReadableLine(Answer):
    label: str
    text: str


class Readable(Answer):
    """A shared material line by line, unmasked as the file is; opening it leaves the same trace."""

    id: str
    title: str
    lines: list[ReadableLine]


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The route of readable evidence."""
    routes = Routes("case_evidence", "/staff/v1/cases", edge)

    @routes.get(
        "/<case_id:str>/materials/<material_id:str>/readable",
        access=staff("case.read"),
        summary="A material that a department shared, line by line; leaves a trace",
        answer=Readable,
        errors=(errors.CaseNotFound, errors.MaterialNotFound, errors.MaterialNotReadable),
    )
    async def readable(call: Call[None], case_id: str, material_id: str) -> Readable:
        opened = await service.open_material(
            house.registry,
            staff_id=call.who.id,
            scope=scope_of(call),
            case_id=case_id,
            material_id=material_id,
        )
        if opened.mime != MIME:
            raise errors.MaterialNotReadable
        raw = b"".join([chunk async for chunk in opened.chunks])
        try:
            evidence = Evidence.from_bytes(raw)
        except EvidenceUnreadable:
            raise errors.MaterialNotReadable from None
        lines = [ReadableLine(label=label, text=text) for label, text in evidence.lines()]
        return Readable(id=material_id, title=evidence.title, lines=lines)

    return routes.blueprint
