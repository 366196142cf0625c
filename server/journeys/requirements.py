"""From the catalogue's words to an application's: what a business asks for once the facts of the case are known."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from server.applications.records import PartyDraft, Unit
from server.applications.requirements import ChoiceLine, MaterialLine, NameLine, QuestionLine, Requirements
from server.applications.rules import BUYER_ROLE, OWNER_ROLE
from server.catalogue.content import BusinessType, CaseFacts, Material, MaterialForm, MaterialPer, Question
from server.catalogue.rules import questions_for, required_materials
from server.catalogue.sources import Source, source_of
from server.terms.codes import CoOwnership, HouseUsage, IdKind
from server.terms.id_document import IdDocument

_MIB = 1024 * 1024
_UPLOADED = {MaterialForm.ORIGINAL_SCAN, MaterialForm.COPY_SCAN}
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


Shared = Mapping[str, tuple[str, tuple[int, ...]]]
"""By material code: the source that may take its place, and the positions of the parties it is asked about."""


def shared_lines(
    business: BusinessType, sources: Sequence[Source], facts: CaseFacts, parties: Sequence[PartyDraft], *, on: date
) -> Shared:
    """Which materials departments can share in this case; only persons are asked about."""
    found = {}
    for line in business.materials:
        source = source_of(sources, material=line.code, code=line.source_code)
        if source is None or line.form not in _UPLOADED:
            continue
        roles = source.roles(facts)
        places = tuple(
            place
            for place, party in enumerate(parties)
            if party.role in roles and party.kind == "person" and not (source.adults_only and _is_minor(party, on))
        )
        if places:
            found[line.code] = (source.code, places)
    return found


def requirements_for(business: BusinessType, facts: CaseFacts, shared: Shared) -> Requirements:
    """The version in force, with every condition decided; `shared` as `shared_lines` says."""
    needed = required_materials(business, facts)
    return Requirements(
        business_type=business.code,
        name=business.name,
        version=business.version,
        materials=tuple(
            _material(line, required=line in needed, shared=shared.get(line.code)) for line in business.materials
        ),
        questions=tuple(_question(question) for question in questions_for(business, facts)),
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


def _material(line: Material, *, required: bool, shared: tuple[str, tuple[int, ...]] | None) -> MaterialLine:
    source, positions = shared or (None, ())
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
        source_code=source,
        source_parties=positions,
    )


def _question(question: Question) -> QuestionLine:
    choices = tuple(ChoiceLine(choice.code, choice.text) for choice in question.choices)
    return QuestionLine(question.code, question.text, tuple(role.value for role in question.asked), choices)
