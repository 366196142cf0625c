"""The migrations make the tables that the models describe, one after the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tortoise.context import require_context
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import AlterModelOptions

from kit.db.connection import close_database, config, credentials, open_database
from server.database import APPS


@pytest.fixture
async def detector(tmp_path: Path) -> AsyncIterator[MigrationAutodetector]:
    connection = credentials(f"sqlite:///{tmp_path / 'none.db'}")
    await open_database(connection, APPS)
    apps = require_context().apps
    assert apps is not None
    yield MigrationAutodetector(apps, config(connection, APPS)["apps"])
    await close_database()


async def test_no_model_has_changed_without_a_migration(detector: MigrationAutodetector):
    writers = await detector.changes()
    # What a model says of itself is kept with its migration, and may be said better later.
    left = [each for writer in writers for each in writer.operations if not isinstance(each, AlterModelOptions)]
    assert left == []


async def test_each_app_has_one_newest_migration(detector: MigrationAutodetector):
    await detector.changes()
    assert {app: len(detector.loader.graph.leaf_nodes(app)) for app in APPS} == dict.fromkeys(APPS, 1)
