"""Migrations: one runner at a time, and every MariaDB table in a binary collation."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.executor import MigrationExecutor

from kit.db import patches
from kit.db.connection import Apps, close_database, config
from kit.db.sql import dialect, fetch, fetch_one

COLLATION = "utf8mb4_bin"
_LOCK_SECONDS = 60
Progress = Callable[[str, str, str], object]


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """GET_LOCK on MariaDB; SQLite's own write lock does for the embedded mode, where one supervisor migrates."""
    if dialect() == "sqlite":
        yield
        return
    connection = get_connection("default")
    async with connection.acquire_connection() as raw, raw.cursor() as cursor:
        await cursor.execute("SELECT GET_LOCK('yichuang_migrate', %s)", (_LOCK_SECONDS,))
        row = await cursor.fetchone()
        if row[0] != 1:
            raise TimeoutError("another migration is running")
        try:
            yield
        finally:
            await cursor.execute("SELECT RELEASE_LOCK('yichuang_migrate')")


async def _to_binary_collation() -> None:
    """Tortoise names no collation, so MariaDB would take `oAbC` for `oabc` and `𠮷` for `😀`."""
    rows = await fetch(
        "SELECT table_name AS name FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_collation <> ?",
        [COLLATION],
    )
    if not rows:
        return
    connection = get_connection("default")
    async with connection.acquire_connection() as raw, raw.cursor() as cursor:
        await cursor.execute("SET foreign_key_checks = 0")
        for row in rows:
            await cursor.execute(f"ALTER TABLE `{row['name']}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {COLLATION}")
        await cursor.execute("SET foreign_key_checks = 1")


def _apps_config(connection: Mapping[str, Any], apps: Apps) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = config(connection, apps)["apps"]
    return found


async def migrate(connection: Mapping[str, Any], apps: Apps, *, progress: Progress | None = None) -> None:
    """Bring the database to the newest migration of every app."""
    patches.apply()
    await Tortoise.init(config=config(connection, apps), _enable_global_fallback=True)
    try:
        async with _alone():
            executor = MigrationExecutor(get_connection("default"), _apps_config(connection, apps))
            await executor.migrate(direction="forward", progress=progress)
            if dialect() == "mysql":
                await _to_binary_collation()
    finally:
        await close_database()


async def pending(connection: Mapping[str, Any], apps: Apps) -> list[str]:
    """The migrations not yet applied, as `app.name`; the database must be open."""
    executor = MigrationExecutor(get_connection("default"), _apps_config(connection, apps))
    await executor.loader.build_graph()
    try:
        applied = set(await executor.recorder.applied_migrations())
    except Exception as error:  # no table yet: nothing is applied
        if await _has_tables():
            raise
        applied, _ = set(), error
    return [f"{key.app_label}.{key.name}" for key in executor._full_plan() if key not in applied]  # noqa: SLF001


async def _has_tables() -> bool:
    if dialect() == "sqlite":
        row = await fetch_one("SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table'")
    else:
        row = await fetch_one("SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = DATABASE()")
    return row is not None and row["n"] > 0
