"""The baseline of `progress_read`: bare Sanic and a raw aiomysql pool; no ORM, no log, no cache, the same bytes out.

Started as `python -m bench.bare_progress <database url> <port>`.
"""

import sys
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from sanic import HTTPResponse, Request, Sanic

from bench.bare import bare_app, shanghai
from server.applications.states import State

_SESSION = "SELECT resident_id, expires_at FROM identity_session WHERE token_hash = %s AND ended_at IS NULL"
_PROGRESS = (
    "SELECT a.id, a.state, s.code, s.name, s.note, s.happened_at FROM applications_party p "
    "JOIN applications_application a ON a.id = p.application_id "
    "LEFT JOIN applications_step s ON s.application_id = a.id "
    "WHERE p.application_id = %s AND p.resident_id = %s ORDER BY s.happened_at, s.id"
)


def body(rows: list[Any]) -> bytes:
    """The answer from the joined rows."""
    application_id, word = rows[0][:2]
    state = State(word)
    return orjson.dumps(
        {
            "id": application_id,
            "state": word,
            "state_text": state.text,
            "steps": [
                {"code": code, "name": name, "at": shanghai(at), "note": note} for _, _, code, name, note, at in rows
            ],
        }
    )


def create_app(database: str) -> Sanic[Any, Any]:
    """One route, and nothing around it."""
    app = bare_app("bare-progress", database, autocommit=True)

    @app.get("/api/v1/applications/<application_id>/progress")
    async def progress(request: Request, application_id: str) -> HTTPResponse:
        digest = sha256((request.token or "").encode()).hexdigest()
        async with app.ctx.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(_SESSION, (digest,))
            session = await cursor.fetchone()
            if session is None or session[1] < datetime.now(UTC).replace(tzinfo=None):
                return HTTPResponse(status=401)
            await cursor.execute(_PROGRESS, (application_id, session[0]))
            rows = await cursor.fetchall()
        if not rows:
            return HTTPResponse(status=404)
        return HTTPResponse(body(rows), content_type="application/json")

    return app


if __name__ == "__main__":
    create_app(sys.argv[1]).run(port=int(sys.argv[2]), single_process=True, access_log=False, motd=False)
