from pathlib import Path

import pytest

from tests.factories import registry


@pytest.fixture
async def desk(db: object, tmp_path: Path) -> registry.Desk:
    """A desk with H1 in its register."""
    made = await registry.desk(tmp_path / "files")
    await registry.seed_h1(made.needs)
    return made
