"""What a business is done by law under: titles and articles, shown in the guide."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.catalogue.fields import Fields


@dataclass(frozen=True, slots=True)
class Law:
    """One source: `businesses` empty means every business; `verified` once compared with the published text."""

    title: str
    articles: str
    subject: str
    businesses: frozenset[str]
    verified: bool

    def applies_to(self, business: str) -> bool:
        return not self.businesses or business in self.businesses


def load_laws(data: object) -> tuple[Law, ...]:
    """The table of laws in the order they are shown; raises ContentError naming the path of the first fault."""
    fields = Fields(data, "laws")
    laws = tuple(_law(group) for group in fields.groups("laws"))
    fields.done()
    named = [(law.title, law.articles, law.businesses) for law in laws]
    if len(set(named)) < len(named):
        raise fields.fail("laws", "同一法律的同一条款不能列两次。")
    return laws


def laws_of(laws: Sequence[Law], *, business: str) -> tuple[Law, ...]:
    return tuple(law for law in laws if law.applies_to(business))


def _law(fields: Fields) -> Law:
    law = Law(
        title=fields.text("title"),
        articles=fields.text("articles"),
        subject=fields.text("subject"),
        businesses=frozenset(fields.texts("businesses")),
        verified=fields.boolean("verified"),
    )
    fields.done()
    return law
