"""How a case looks at the registry's desk: masked, every coded value with its Chinese text."""

from kit.clock import rfc3339
from kit.web.validation import Answer
from server.registry import rules
from server.registry.package import Party
from server.registry.queries import Attention, CaseLine, CaseRecord, MaterialLine
from server.terms.codes import IdKind, PartyRole
from server.terms.id_document import IdDocument
from server.terms.person_name import PersonName


class CaseSummary(Answer):
    id: str
    case_number: str | None
    application_id: str
    application_number: str
    district: str
    business_type: str
    business_type_text: str
    state: str
    state_text: str
    version: int
    submitted_at: str
    promised_on: str | None


class CaseList(Answer):
    items: list[CaseSummary]
    next: str | None


class Share(Answer):
    numerator: int
    denominator: int


class CaseParty(Answer):
    role: str
    role_text: str
    name_masked: str
    id_number_masked: str
    share: Share | None


class CaseMaterial(Answer):
    """A file; `party` is whose it is, by the place among the case's parties (from 0).

    `source` and what follows it where a department shared it.
    """

    id: str
    code: str
    name: str
    party: int | None
    digest: str
    mime: str
    size: int
    source: str | None
    source_text: str | None
    purpose: str | None
    legal_basis: str | None


class CaseTrack(Answer):
    code: str
    name: str
    state: str
    state_text: str


class CaseOpinion(Answer):
    """A ready opinion for a decision that may be taken now; `result` is that of a review."""

    code: str
    decision: str
    result: str | None
    text: str


class CaseAttention(Answer):
    """An answer of the inquiry that is not the expected one; no party where the signer is none of the case's."""

    party_role: str | None
    party_role_text: str | None
    name_masked: str | None
    question: str
    answer: str


class Case(CaseSummary):
    """`waits_for` names the tracks that hold up what comes next, `attention` the answers to look at before it."""

    unit_code: str
    certificate_number: str
    parties: list[CaseParty]
    materials: list[CaseMaterial]
    tracks: list[CaseTrack]
    waits_for: list[str]
    opinions: list[CaseOpinion]
    attention: list[CaseAttention]


def summary(line: CaseLine, business: str) -> CaseSummary:
    """A line of the list; `business` is what its type is called."""
    return CaseSummary(
        id=line.id,
        case_number=line.case_number,
        application_id=line.application_id,
        application_number=line.application_number,
        district=line.district,
        business_type=line.business_type,
        business_type_text=business,
        state=line.state,
        state_text=rules.state_text(line.state),
        version=line.version,
        submitted_at=rfc3339(line.submitted_at),
        promised_on=line.promised_on.isoformat() if line.promised_on else None,
    )


def present(record: CaseRecord) -> Case:
    """A case as the officer who opened it sees it."""
    first = record.entries[0]
    return Case(
        **summary(record.line, record.business_name).model_dump(),
        unit_code=first.unit_code,
        certificate_number=first.certificate_number,
        parties=[_party(party) for party in first.parties],
        materials=[_material(each) for each in record.materials],
        tracks=[
            CaseTrack(code=track.code, name=track.name, state=track.state, state_text=rules.track_text(track.state))
            for track in record.tracks
        ],
        waits_for=[blocker.track for blocker in record.waits_for],
        opinions=[
            CaseOpinion(code=each.code, decision=each.decision, result=each.result, text=each.text)
            for each in record.opinions
        ],
        attention=[_attention(each) for each in record.attention],
    )


def _material(line: MaterialLine) -> CaseMaterial:
    names = set(CaseMaterial.model_fields) - {"party"}
    return CaseMaterial(party=line.party_position, **{name: getattr(line, name) for name in names})


def _attention(found: Attention) -> CaseAttention:
    party = _party(found.party) if found.party else None
    return CaseAttention(
        party_role=party.role if party else None,
        party_role_text=party.role_text if party else None,
        name_masked=party.name_masked if party else None,
        question=found.question,
        answer=found.answer,
    )


def _party(party: Party) -> CaseParty:
    person = party.kind == "person"
    share = None
    if party.share_numerator is not None and party.share_denominator is not None:
        share = Share(numerator=party.share_numerator, denominator=party.share_denominator)
    return CaseParty(
        role=party.role,
        role_text=PartyRole(party.role).text,
        # An organisation's name and code are public.
        name_masked=PersonName(party.name).masked() if person else party.name,
        id_number_masked=IdDocument(IdKind(party.id_kind), party.id_number).masked() if person else party.id_number,
        share=share,
    )
