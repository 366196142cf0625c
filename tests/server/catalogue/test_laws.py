import copy
from typing import Any

import pytest

from server.catalogue.fields import ContentError
from server.catalogue.laws import laws_of, load_laws
from server.catalogue.loading import read_shipped

SHIPPED = read_shipped("laws.yaml")


def test_what_holds_for_a_business_and_for_all() -> None:
    laws = load_laws(SHIPPED)
    resale, other = (laws_of(laws, business=code) for code in ("TRANSFER_RESALE", "REISSUE"))
    assert "中华人民共和国契税法" in {law.title for law in resale}
    assert "中华人民共和国契税法" not in {law.title for law in other}
    assert set(other) < set(resale)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"title": ""}, "laws.laws[0].title"),
        ({"articles": 14}, "laws.laws[0].articles"),
        ({"verified": "yes"}, "laws.laws[0].verified"),
        ({"colour": "red"}, "laws.laws[0]"),
        ({"articles": "第十五条"}, "laws.laws"),
    ],
)
def test_a_fault_is_named(change: dict[str, Any], where: str) -> None:
    data = copy.deepcopy(SHIPPED)
    data["laws"][0].update(change)
    with pytest.raises(ContentError) as refused:
        load_laws(data)
    assert refused.value.where == where
