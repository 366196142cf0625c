"""One private MariaDB per run; each test that asks for `db` runs on SQLite and on MariaDB, on empty tables."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
from hypothesis import HealthCheck, settings
from tortoise.backends.base.executor import EXECUTOR_CACHE

from kit.db.connection import close_database, credentials, open_database
from kit.db.migrate import migrate
from server.database import APPS
from tests.support import mariadb

PORT, VERSION = "TEST_MARIADB_PORT", "TEST_MARIADB_VERSION"
_server: list[mariadb.MariaDb] = []
# The same examples everywhere and no time limit on any: a verdict is about the code, not about the machine or the dice.
settings.register_profile(
    "everywhere", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everywhere")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or PORT in os.environ:
        return
    server = mariadb.start()
    _server.append(server)
    os.environ[PORT], os.environ[VERSION] = str(server.port), server.version


def pytest_unconfigure(config: pytest.Config) -> None:
    while _server:
        _server.pop().stop()
        del os.environ[PORT], os.environ[VERSION]


def pytest_report_header() -> str:
    return f"MariaDB {os.environ.get(VERSION, 'of the controller')}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"MariaDB {os.environ.get(VERSION)}")


@dataclass(frozen=True)
class Db:
    """Which database a test runs on."""

    dialect: str
    url: str
    connection: dict[str, Any]


async def create_schema(url: str) -> None:
    await migrate(credentials(url), APPS)


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    asyncio.run(create_schema(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def mariadb_url(worker_name: str) -> str:
    url = mariadb.fresh_schema(int(os.environ[PORT]), f"yichuang_{worker_name}")
    asyncio.run(create_schema(url))
    return url


def _empty(port: int, name: str) -> None:
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", database=name, autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute("SHOW TABLES")
        for (table,) in cursor.fetchall():
            if table != "tortoise_migrations":
                cursor.execute(f"DELETE FROM `{table}`")  # noqa: S608 - names the database gave us


@pytest.fixture(params=["sqlite", "mariadb"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database without rows; nothing is open yet."""
    # Tortoise keeps its INSERT texts by connection name: the other database's would be used here, or after.
    EXECUTOR_CACHE.clear()
    if request.param == "sqlite":
        path = tmp_path / "yichuang.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("mariadb_url")
        _empty(int(os.environ[PORT]), url.rsplit("/", 1)[1])
        yield url
    EXECUTOR_CACHE.clear()


@pytest.fixture
async def db(empty_database: str) -> AsyncIterator[Db]:
    """The database open in this test's loop."""
    connection = credentials(empty_database)
    await open_database(connection, APPS)
    yield Db("sqlite" if empty_database.startswith("sqlite") else "mysql", empty_database, connection)
    await close_database()
