from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.terms.errors import TermError
from server.terms.share import Share, reach_two_thirds, sum_to_one, total


@pytest.mark.parametrize(
    ("text", "written", "percent"),
    [
        ("1/2", "1/2", "50%"),
        ("50/100", "1/2", "50%"),
        ("５０％", "1/2", "50%"),
        ("33.33%", "3333/10000", "3333/10000"),
        ("1/3", "1/3", "1/3"),
        ("100%", "1/1", "100%"),
    ],
)
def test_parse(text: str, written: str, percent: str) -> None:
    share = Share.parse(text)
    assert (str(share), share.percent_text()) == (written, percent)


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1/0", "101%", "0%", "一半", "0.5", "-1/2"])
def test_refuses_what_is_no_part(text: str) -> None:
    with pytest.raises(TermError, match="SHARE_INVALID"):
        Share.parse(text)


def test_sums_are_exact() -> None:
    assert sum_to_one([Share.of(1, 3)] * 3)
    assert sum_to_one([Share.whole()])
    assert not sum_to_one([Share.parse("33.33%")] * 3)
    assert total([]) == 0


@pytest.mark.parametrize(("parts", "enough"), [((70,), True), ((30,), False), ((66,), False), ((40, 30), True)])
def test_two_thirds_by_share(parts: tuple[int, ...], *, enough: bool) -> None:
    assert reach_two_thirds([Share.of(part, 100) for part in parts]) is enough
    assert reach_two_thirds([Share.of(2, 3)])


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_lowest_terms_round_trip(first: int, second: int) -> None:
    small, large = sorted((first, second))
    share = Share.of(small, large)
    assert share.fraction() == Fraction(small, large)
    assert Share.parse(str(share)) == share
