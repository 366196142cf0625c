"""From the catalogue's words to an application's: what a business asks for once the facts of the case are known."""

from collections.abc import Iterable, Sequence
from datetime import date

from server.applications.records import PartyDraft, Unit
from server.applications.requirements import ChoiceLine, MaterialLine, NameLine, QuestionLine, Requirements
from server.applications.rules import BUYER_ROLE, OWNER_ROLE
from server.catalogue.content import BusinessType, CaseFacts, Material, MaterialForm, MaterialPer, Question, facts_of
from server.terms.codes import CoOwnership, HouseUsage, IdKind
from server.terms.id_document import IdDocument

_MIB = 1024 * 1024
_FORMS = {MaterialForm.GENERATED: "generated", MaterialForm.EXTERNAL: "elsewhere"}


def facts_for(unit: Unit, parties: Sequence[PartyDraft], *, on: date) -> CaseFacts:
    """What the conditions of materials and questions ask about; the buyers' taxes count a family's homes."""
    sellers = [party for party in parties if party.role == OWNER_ROLE]
    buyers = [party for party in parties if party.role == BUYER_ROLE]
    shared_out = len(buyers) > 1 and all(party.share is not None for party in buyers)
    home = unit.usage in set(HouseUsage) and HouseUsage(unit.usage).is_home()
    return CaseFacts(
        minor=any(_is_minor(party, on) for party in parties),
        minor_disposes=any(_is_minor(party, on) for party in sellers),
        organisation=any(party.kind != "person" for party in parties),
        seller_organisation=any(party.kind != "person" for party in sellers),
        co_owned=len(sellers) > 1,
        bought_together=len(buyers) > 1,
        by_shares=shared_out or unit.co_ownership == CoOwnership.BY_SHARES,
        family_count=home and any(party.kind == "person" for party in buyers),
        mortgaged=unit.encumbered,
        parties=len(parties),
    )


def _is_minor(party: PartyDraft, on: date) -> bool:
    return party.kind == "person" and bool(IdDocument(IdKind(party.id_kind), party.id_number).is_minor(on))


def requirements_for(business: BusinessType, facts: CaseFacts) -> Requirements:
    """The version in force, with every condition decided."""
    known = facts_of(facts)
    questions = (question for question in business.questions if question.applies.holds(known))
    return Requirements(
        business_type=business.code,
        name=business.name,
        version=business.version,
        materials=tuple(_material(line, required=line.required.holds(known)) for line in business.materials),
        questions=tuple(_question(question) for question in questions),
        commitment_title=business.commitment.title,
        commitment_text=business.commitment.text,
        roles=_names((rule.role.value, rule.name) for rule in business.roles),
        tracks=_names((track.code, track.name) for track in business.tracks),
        fee_due=business.fee_due.value,
        confirmation_hours=business.confirmation_hours,
        claim_days=business.claim_days,
    )


def _names(pairs: Iterable[tuple[str, str]]) -> tuple[NameLine, ...]:
    return tuple(NameLine(code, name) for code, name in pairs)


def _material(line: Material, *, required: bool) -> MaterialLine:
    return MaterialLine(
        code=line.code,
        name=line.name,
        required=required,
        form=_FORMS.get(line.form, "uploaded"),
        per_party=line.per is MaterialPer.PARTY,
        accepted_mime=line.accepted_mime,
        max_bytes=line.max_mb * _MIB,
        max_files=line.max_files,
        hint=line.hint,
    )


def _question(question: Question) -> QuestionLine:
    choices = tuple(ChoiceLine(choice.code, choice.text) for choice in question.choices)
    return QuestionLine(question.code, question.text, tuple(role.value for role in question.asked), choices)
