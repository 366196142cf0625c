from pathlib import Path

import pytest

from tests.factories.applications import World, world


@pytest.fixture
def city(db: object, tmp_path: Path) -> World:
    return world(tmp_path / "files")
