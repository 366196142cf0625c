from pathlib import Path

import pytest

from server import setup

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["settings.md", "errors.md"])
def test_the_generated_pages_are_those_committed(name: str):
    assert (DOCS / name).read_text(encoding="utf-8") == setup.documents()[name], "run: yichuang docs write"
