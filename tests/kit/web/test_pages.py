from dataclasses import dataclass

import pytest

from kit.web.errors import InvalidContent
from kit.web.pages import Page
from kit.web.validation import from_query


@dataclass(frozen=True)
class Row:
    id: str


ROWS = [Row(f"{number:032x}") for number in range(3)]


def test_a_full_page_with_more_behind_it_names_its_last_row() -> None:
    page = Page(limit=2)
    assert page.wanted == 3
    assert page.cut(ROWS) == (ROWS[:2], ROWS[1].id)


@pytest.mark.parametrize("found", [ROWS, ROWS[:1], []])
def test_the_last_page_has_no_next(found: list[Row]) -> None:
    assert Page(limit=3).cut(found) == (found, None)


@pytest.mark.parametrize("asked", [{"limit": "0"}, {"limit": "101"}, {"cursor": "x"}, {"cursor": "A" * 32}])
def test_other_limits_and_cursors_are_refused(asked: dict[str, str]) -> None:
    with pytest.raises(InvalidContent):
        from_query(Page, asked)
