from pathlib import Path

import pytest

from tests.factories import filing


@pytest.fixture
async def city(db: object, tmp_path: Path) -> filing.City:
    return await filing.city(tmp_path / "files")
