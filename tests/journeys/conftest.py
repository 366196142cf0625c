import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pymysql
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
def build(
    nursery: Nursery,
    worker_name: str,
    sqlite_template: Path,
    mariadb_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Build:
    """Every city has a database of its own: a copy of the migrated one, which costs a tenth of migrating again."""

    def make(dialect: str, **worker: Any) -> AbstractContextManager[City]:
        folder = tmp_path_factory.mktemp("city")
        if dialect == "sqlite":
            shutil.copy(sqlite_template, folder / "city.db")
            url = f"sqlite:///{folder / 'city.db'}"
        else:
            url = _copied(mariadb_url, f"city_{worker_name}_{next(_numbers)}")
        return built(folder, url, nursery, **worker)

    return make


def _copied(migrated_url: str, name: str) -> str:
    """A schema with the same tables, none of their rows, and the note of the migrations applied."""
    port = int(os.environ["TEST_MARIADB_PORT"])
    url = mariadb.fresh_schema(port, name)
    source = migrated_url.rsplit("/", 1)[1]
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", database=name, autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute(f"SHOW TABLES FROM `{source}`")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SHOW CREATE TABLE `{source}`.`{table}`")
            row = cursor.fetchone()
            assert row is not None
            cursor.execute(row[1])
        cursor.execute(f"INSERT INTO tortoise_migrations SELECT * FROM `{source}`.tortoise_migrations")  # noqa: S608
    return url


@pytest.fixture(scope="session", params=["sqlite", "mariadb"])
def town(request: pytest.FixtureRequest, build: Build) -> Iterator[Town]:
    """One city for several scenarios, everybody signed in; each scenario leaves unit H1 free for the next."""
    with build(request.param) as city, city.scene() as scene:
        filing.log_in(scene)
        scene.officer.sign_in()
        yield Town(city, scene)
