import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo import filing
from tests.journeys.city import Build, City, Town, built
from tests.support import mariadb
from tests.support.nursery import Nursery

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(scope="session")
def build(nursery: Nursery, worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Build:
    def make(dialect: str, **worker: Any) -> AbstractContextManager[City]:
        folder = tmp_path_factory.mktemp("city")
        return built(folder, _database(dialect, folder, worker_name), nursery, **worker)

    return make


def _database(dialect: str, folder: Path, worker_name: str) -> str:
    if dialect == "sqlite":
        return f"sqlite:///{folder / 'city.db'}"
    return mariadb.fresh_schema(int(os.environ["TEST_MARIADB_PORT"]), f"city_{worker_name}_{next(_numbers)}")


@pytest.fixture(scope="session", params=["sqlite", "mariadb"])
def town(request: pytest.FixtureRequest, build: Build) -> Iterator[Town]:
    """One city for several scenarios, everybody signed in; each scenario leaves unit H1 free for the next."""
    with build(request.param) as city, city.scene() as scene:
        filing.log_in(scene)
        scene.officer.sign_in()
        yield Town(city, scene)
