"""Materials that departments share, so that nobody need bring them; what was shared is read by its own person only."""

from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty
from miniprogram_api.application_schema import Application
from miniprogram_api.applications import shown
from server.applications import errors
from server.identity.rules import Level
from server.journeys import evidencing
from server.journeys.house import House
from server.sharing.errors import AskedAboutTooMany, EvidenceNotFound
from server.terms.evidence import Evidence


class EvidenceText(Answer):
    label: str
    text: str


class OwnEvidence(Answer):
    """What a department said about me, line by line."""

    id: str
    title: str
    source: str
    source_text: str
    purpose: str
    legal_basis: str
    answered_at: str
    lines: list[EvidenceText]


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of shared materials."""
    routes = Routes("shared_materials", "/api/v1/applications", edge)
    real_name = resident(Level.REAL_NAME)

    @routes.post(
        "/<application_id:str>/shared-materials",
        access=real_name,
        summary="Ask the departments for a draft's materials; what they have need not be uploaded",
        body=Empty,
        answer=Application,
        rate="20/minute",
        errors=(errors.ApplicationNotFound, errors.NotEditable, AskedAboutTooMany),
    )
    async def share_materials(call: Call[Empty], application_id: str) -> Application:
        made = await call.once(
            lambda key: evidencing.share(house, application_id=application_id, resident_id=call.who.id, key=key),
            calls_outside=True,
        )
        return await shown(house, call, made)

    @routes.get(
        "/<application_id:str>/evidence/<evidence_id:str>",
        access=real_name,
        summary="What a department shared about me; nobody else's",
        answer=OwnEvidence,
        errors=(EvidenceNotFound,),
    )
    async def own_evidence(call: Call[None], application_id: str, evidence_id: str) -> OwnEvidence:
        found = await evidencing.own_evidence(
            house, application_id=application_id, evidence_id=evidence_id, resident_id=call.who.id
        )
        return _present(evidence_id, found)

    return routes.blueprint


def _present(evidence_id: str, found: Evidence) -> OwnEvidence:
    return OwnEvidence(
        id=evidence_id,
        title=found.title,
        source=found.source,
        source_text=found.source_text,
        purpose=found.purpose,
        legal_basis=found.legal_basis,
        answered_at=rfc3339(found.answered_at),
        lines=[EvidenceText(label=label, text=text) for label, text in found.lines()],
    )
