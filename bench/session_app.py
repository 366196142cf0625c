"""Both contenders of `login_session`: one body behind a session and in public, in an app made as the product's is.

Started as `python -m bench.session_app <settings file>`.
"""

import sys
from pathlib import Path
from typing import Any

from sanic import Sanic

from kit.db.connection import close_database, open_database
from kit.log import configure
from kit.web import app as web
from kit.web.access import public, resident
from kit.web.edge import Call
from kit.web.routes import Routes
from server import wiring
from server.database import APPS
from server.identity.rules import Level
from server.settings import Settings, read

BODY = b'{"here":true}'


def create_app(settings: Settings) -> Sanic[Any, Any]:
    """An app with two routes that differ only in who may call them."""
    built = wiring.build(settings)
    routes = Routes("bench", "/bench", built.edge)

    @routes.get("/signed", access=resident(Level.WALLET), summary="Behind a session")
    async def signed(_: Call[None]) -> bytes:
        return BODY

    @routes.get("/open", access=public("the baseline"), summary="In public")
    async def unsigned(_: Call[None]) -> bytes:
        return BODY

    app = web.create("session-bench", [routes.blueprint], max_body_bytes=settings.http.max_body_bytes)

    @app.before_server_start
    async def open_up(_: Sanic[Any, Any]) -> None:
        await open_database(wiring.connection(settings), APPS)

    @app.after_server_stop
    async def close_down(_: Sanic[Any, Any]) -> None:
        await built.close()
        await close_database()

    return app


if __name__ == "__main__":
    found = read(Path(sys.argv[1]))
    configure(found.log.level)
    create_app(found).run(host=found.http.host, port=found.http.port, single_process=True, access_log=False, motd=False)
