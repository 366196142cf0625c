"""Migrations: one runner at a time, and every MariaDB table in a binary collation."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tortoise.connection import get_connection
from tortoise.migrations.executor import MigrationExecutor

from kit.db.connection import Apps, config, database
from kit.db.sql import dialect, fetch

COLLATION = "utf8mb4_bin"
_LOCK_SECONDS = 60
_LOCK_NAME = "CONCAT('yichuang:', SHA1(DATABASE()))"  # names are limited to 64 characters
_OTHER_COLLATION = """
SELECT DISTINCT t.table_name AS name FROM information_schema.tables t
LEFT JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
AND (t.table_collation <> ? OR (c.collation_name IS NOT NULL AND c.collation_name <> ?))
"""
Progress = Callable[[str, str, str], object]


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """GET_LOCK on MariaDB, one for each schema of the server; in the embedded mode one supervisor migrates."""
    if dialect() == "sqlite":
        yield
        return
    connection = get_connection("default")
    async with connection.acquire_connection() as raw, raw.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK({_LOCK_NAME}, %s)", (_LOCK_SECONDS,))
        row = await cursor.fetchone()
        if row[0] != 1:
            raise TimeoutError("another migration is running")
        try:
            yield
        finally:
            await cursor.execute(f"SELECT RELEASE_LOCK({_LOCK_NAME})")


async def _to_binary_collation() -> None:
    """Tortoise names no collation, so MariaDB would take `oAbC` for `oabc` and `𠮷` for `😀`."""
    rows = await fetch(_OTHER_COLLATION, [COLLATION, COLLATION])
    if not rows:
        return
    connection = get_connection("default")
    async with connection.acquire_connection() as raw, raw.cursor() as cursor:
        await cursor.execute("SET foreign_key_checks = 0")
        try:
            for row in rows:
                await cursor.execute(
                    f"ALTER TABLE `{row['name']}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {COLLATION}"
                )
        finally:
            await cursor.execute("SET foreign_key_checks = 1")


def _apps_config(connection: Mapping[str, Any], apps: Apps) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = config(connection, apps)["apps"]
    return found


async def migrate(connection: Mapping[str, Any], apps: Apps, *, progress: Progress | None = None) -> None:
    """Bring the database to the newest migration of every app."""
    async with database(connection, apps), _alone():
        executor = MigrationExecutor(get_connection("default"), _apps_config(connection, apps))
        await executor.migrate(direction="forward", progress=progress)
        if dialect() == "mysql":
            await _to_binary_collation()


async def pending(connection: Mapping[str, Any], apps: Apps) -> list[str]:
    """The migrations not yet applied, as `app.name`; the database must be open."""
    executor = MigrationExecutor(get_connection("default"), _apps_config(connection, apps))
    await executor.loader.build_graph()
    # The recorder answers an empty list while its table is missing: everything is pending then.
    applied = set(await executor.recorder.applied_migrations())
    return [f"{key.app_label}.{key.name}" for key in executor._full_plan() if key not in applied]  # noqa: SLF001
