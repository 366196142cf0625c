import pytest

from tests.factories.identity import World, world


@pytest.fixture
def city(db: object) -> World:
    return world()
