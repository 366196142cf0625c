import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tortoise import Tortoise

from kit.db import patches

Apps = Mapping[str, Sequence[str]]
"""Tortoise app label -> the modules with its models."""

CLIENT_FOUND_ROWS = 2  # an UPDATE answers matched rows, as SQLite does: optimistic locking needs that
_SESSION = (
    "SET time_zone='+00:00', collation_connection='utf8mb4_bin', tx_isolation='READ-COMMITTED', "
    "innodb_lock_wait_timeout=5"
)


def credentials(url: str, *, password: str | None = None, pool_size: int = 32) -> dict[str, Any]:
    """Tortoise's connection entry for `sqlite:///path` or `mysql://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "engine": "tortoise.backends.sqlite",
            "credentials": {
                "file_path": unquote(parts.path[1:] if parts.path.startswith("//") else parts.path),
                "busy_timeout": 5000,
                "synchronous": "FULL",
                "journal_mode": "WAL",
                "foreign_keys": "ON",
            },
        }
    if parts.scheme != "mysql":
        raise ValueError(f"database url must start with sqlite:// or mysql://, not {parts.scheme}://")
    return {
        "engine": "tortoise.backends.mysql",
        "credentials": {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 3306,
            "user": unquote(parts.username or ""),
            "password": password if password is not None else unquote(parts.password or ""),
            "database": parts.path.lstrip("/"),
            "minsize": min(2, pool_size),
            "maxsize": pool_size,
            "charset": "utf8mb4",
            "pool_recycle": 300,
            "connect_timeout": 3,
            "client_flag": CLIENT_FOUND_ROWS,
            "init_command": _SESSION,
            "sql_mode": "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
        },
    }


def config(connection: Mapping[str, Any], apps: Apps) -> dict[str, Any]:
    """Tortoise's whole configuration: every app on the one connection `default`, so one transaction spans them."""
    return {
        "connections": {"default": dict(connection)},
        "apps": {
            label: {
                "models": list(modules),
                "default_connection": "default",
                "migrations": f"{label}.migrations",
            }
            for label, modules in apps.items()
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def open_database(connection: Mapping[str, Any], apps: Apps) -> None:
    """Open the process's database; handlers of every task then see it."""
    patches.apply()
    if connection["engine"].endswith("sqlite"):
        Path(connection["credentials"]["file_path"]).parent.mkdir(parents=True, exist_ok=True)
    await Tortoise.init(config=config(connection, apps), _enable_global_fallback=True)


async def close_database() -> None:
    """Close the process's database."""
    await Tortoise.close_connections()
    await asyncio.sleep(0)  # the driver closes its sockets one turn of the loop later


@asynccontextmanager
async def database(connection: Mapping[str, Any], apps: Apps) -> AsyncIterator[None]:
    """The database open for the length of a command."""
    await open_database(connection, apps)
    try:
        yield
    finally:
        await close_database()
