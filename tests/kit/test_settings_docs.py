from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from kit.settings import BaseUrl, Section
from kit.settings_docs import settings_markdown
from server.settings import Settings


class Kitchen(Section):
    """Where bread is made."""

    oven_url: BaseUrl = Field(description="Where the oven answers")
    recipe_file: Path | None = Field(default=None, description="File with the recipe")
    shelves: tuple[Path, ...] = Field(default=(Path("a"), Path("b")), description="Shelves | boards")
    open: bool = Field(default=True, description="Whether it bakes")


class House(Section):
    colour: Literal["red", "blue"] = Field(default="red", description="Colour of the door")
    kitchen: Kitchen
    spare: Kitchen | None = None


def test_it_lists_every_key_with_type_default_and_meaning() -> None:
    page = settings_markdown(House)
    assert '| `colour` | `red`, `blue` | `"red"` | Colour of the door |' in page
    assert "| `kitchen.oven_url` | text | *required* | Where the oven answers |" in page
    assert "| `kitchen.recipe_file` | path |  | File with the recipe |" in page
    assert '| `kitchen.shelves` | list of path | `["a", "b"]` | Shelves \\| boards |' in page
    assert "| `kitchen.open` | boolean | `true` | Whether it bakes |" in page


def test_it_says_which_sections_must_be_given() -> None:
    page = settings_markdown(House)
    assert "## `[kitchen]`\n\nWhere bread is made. Must be given." in page
    assert "## `[spare]`\n\nWhere bread is made. May be left out." in page


def test_a_key_without_a_meaning_is_refused() -> None:
    class Silent(Section):
        key: int = 1

    with pytest.raises(ValueError, match="key has no description"):
        settings_markdown(Silent)


def test_the_settings_of_the_house_can_be_told() -> None:
    page = settings_markdown(Settings)
    assert page.count("\n## `[") == sum(
        1 for field in Settings.model_fields if field not in {"mode", "role", "test_mode"}
    )
