"""What every baseline stands on: bare Sanic over a raw pool as large as ours, no ORM, no middleware, no log."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import aiomysql
from sanic import Sanic

POOL = 32
SHANGHAI = timezone(timedelta(hours=8))


def bare_app(name: str, database: str, **options: Any) -> Sanic[Any, Any]:
    """An app without routes whose `ctx.pool` goes to the database's URL; `options` are the pool's own."""
    app: Sanic[Any, Any] = Sanic(name, configure_logging=False)
    app.config.update({"ACCESS_LOG": False, "OAS": False, "HEALTH": False})
    parts = urlsplit(database)

    @app.before_server_start
    async def open_up(running: Sanic[Any, Any]) -> None:
        running.ctx.pool = await aiomysql.create_pool(
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            db=parts.path.lstrip("/"),
            charset="utf8mb4",
            minsize=POOL,
            maxsize=POOL,
            **options,
        )

    return app


def shanghai(stored: datetime) -> str:
    """A stored moment as answers carry it."""
    return stored.replace(tzinfo=UTC).astimezone(SHANGHAI).isoformat(timespec="seconds")
