import pytest

from server.staff.ports import Needs
from tests.factories import staff


@pytest.fixture
def wants(db: object) -> Needs:
    return staff.needs()
