from pathlib import Path

import pytest

from tests.factories import issuing


@pytest.fixture
def office(db: object, tmp_path: Path) -> issuing.Office:
    return issuing.office(tmp_path / "files")
