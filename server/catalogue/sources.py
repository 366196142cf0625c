"""The departments whose data takes the place of a material, as a city configures them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.catalogue.content import CaseFacts, fact_types, facts_of
from server.catalogue.expressions import Condition
from server.catalogue.fields import Fields
from server.terms.codes import PartyRole
from server.terms.evidence import EvidenceKind

LONGEST_TEXT = 255
_FACTS = fact_types(CaseFacts)


class ServiceClass(StrEnum):
    """The three classes of sharing between departments (身份核验、业务协同、信息查询)."""

    IDENTITY = "identity"
    BUSINESS = "business"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class Asked:
    """Parties in these roles are asked about when the condition holds."""

    roles: tuple[PartyRole, ...]
    when: Condition


@dataclass(frozen=True, slots=True)
class Source:
    """A department's data: what it covers, whom it is asked about, and with what right."""

    code: str
    name: str
    service: ServiceClass
    kind: EvidenceKind
    covers: tuple[str, ...]
    asked: tuple[Asked, ...]
    adults_only: bool
    purpose: str
    legal_basis: str

    def roles(self, facts: CaseFacts) -> frozenset[PartyRole]:
        """Whom it concerns in a case of these facts; nobody when no rule applies."""
        known = facts_of(facts)
        return frozenset(role for rule in self.asked if rule.when.holds(known) for role in rule.roles)


def load_sources(data: object) -> tuple[Source, ...]:
    """The table of sources; raises ContentError naming the path of the first fault."""
    fields = Fields(data, "sources")
    sources = tuple(_source(group) for group in fields.groups("sources"))
    fields.done()
    codes = [source.code for source in sources]
    if len(set(codes)) < len(codes):
        raise fields.fail("sources", "来源编码不能重复。")
    covered = [material for source in sources for material in source.covers]
    if len(set(covered)) < len(covered):
        raise fields.fail("sources", "一项材料只能由一个来源提供。")
    return sources


def source_of(sources: Sequence[Source], *, material: str, code: str | None) -> Source | None:
    """The source that a material names and that covers it."""
    return next((each for each in sources if each.code == code and material in each.covers), None)


def _source(fields: Fields) -> Source:
    source = Source(
        code=fields.text("code"),
        name=_short(fields, "name"),
        service=fields.word("service", ServiceClass),
        kind=fields.word("kind", EvidenceKind),
        covers=fields.texts("covers"),
        asked=tuple(_asked(group) for group in fields.groups("asked")),
        adults_only=fields.boolean("adults_only", default=False),
        purpose=_short(fields, "purpose"),
        legal_basis=_short(fields, "legal_basis"),
    )
    fields.done()
    if not source.covers or not source.asked:
        raise fields.fail("covers", "应写明可以替代的材料和查询哪些当事人。")
    return source


def _short(fields: Fields, key: str) -> str:
    text = fields.text(key)
    if len(text) > LONGEST_TEXT:
        raise fields.fail(key, f"不能超过{LONGEST_TEXT}个字。")
    return text


def _asked(fields: Fields) -> Asked:
    rule = Asked(fields.words("roles", PartyRole), fields.condition("when", _FACTS, default="always"))
    fields.done()
    return rule
