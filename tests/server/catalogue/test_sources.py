from typing import Any

import pytest

from server.catalogue.content import CaseFacts
from server.catalogue.fields import ContentError
from server.catalogue.loading import read_shipped, shipped_businesses, shipped_sources
from server.catalogue.sources import ServiceClass, load_sources, source_of
from server.terms.codes import PartyRole

SELLER, BUYER = PartyRole.OBLIGOR, PartyRole.RIGHT_HOLDER


def test_the_shipped_sources_are_named_by_the_materials_they_cover():
    sources = shipped_sources()
    business = shipped_businesses()[0]
    for source in sources:
        assert source.purpose
        assert "不动产登记暂行条例" in source.legal_basis
        for code in source.covers:
            material = business.material(code)
            assert material is not None
            assert material.source_code == source.code
    assert {source.service for source in sources} == {ServiceClass.IDENTITY, ServiceClass.LOOKUP}


@pytest.mark.parametrize(
    ("facts", "marriage", "household"),
    [
        (CaseFacts(), set(), set()),
        (CaseFacts(co_owned=True), {SELLER}, set()),
        (CaseFacts(family_count=True), {BUYER}, {BUYER}),
        (CaseFacts(bought_together=True), {BUYER}, set()),
        (CaseFacts(co_owned=True, family_count=True), {SELLER, BUYER}, {BUYER}),
    ],
)
def test_whom_a_case_concerns(facts: CaseFacts, marriage: set[PartyRole], household: set[PartyRole]):
    first, second = shipped_sources()
    assert (first.roles(facts), second.roles(facts)) == (marriage, household)


def test_a_source_covers_what_it_says_and_nothing_else():
    sources = shipped_sources()
    assert source_of(sources, material="M10H", code="police_household") is sources[1]
    # A household register alone does not prove guardianship.
    assert source_of(sources, material="M06", code="police_household") is None
    assert source_of(sources, material="M07", code=None) is None


def _one(**changes: Any) -> dict[str, Any]:
    return {"sources": [{**read_shipped("sources.yaml")["sources"][0], **changes}]}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (_one(purpose=""), "sources.sources[0].purpose"),
        (_one(legal_basis="法" * 256), "sources.sources[0].legal_basis"),
        (_one(service="espionage"), "sources.sources[0].service"),
        (_one(covers=[]), "sources.sources[0].covers"),
        (_one(asked=[{"roles": ["obligor"], "when": "rich"}]), "sources.sources[0].asked[0].when"),
        (_one(colour="red"), "sources.sources[0]"),
        ({"sources": read_shipped("sources.yaml")["sources"][:1] * 2}, "sources.sources"),
        ({"sources": [*_one()["sources"], {**_one()["sources"][0], "code": "other"}]}, "sources.sources"),
    ],
)
def test_a_wrong_table_is_named_by_its_place(data: dict[str, Any], where: str):
    with pytest.raises(ContentError) as refused:
        load_sources(data)
    assert refused.value.where == where
