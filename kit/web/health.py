"""`/healthz`: the process answers. `/readyz`: it can do its work."""

from collections.abc import Awaitable, Callable

from sanic import Blueprint

from kit.db import fetch_one
from kit.heartbeat.service import FRESH_SECONDS, age_seconds
from kit.log import get_logger
from kit.web.access import public
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer

log = get_logger("health")


class Health(Answer):
    status: str


class Readiness(Answer):
    ready: bool
    database: bool
    migrations: bool
    worker: bool


def blueprint(edge: Edge, *, pending: Callable[[], Awaitable[list[str]]], worker_name: str) -> Blueprint:
    """`pending` answers the migrations not yet applied; `worker_name` is the prefix of the heartbeats to look for."""
    routes = Routes("health", "", edge)
    reason = "load balancers and operators ask without an account; no data is told"
    state = {"migrations": False}

    @routes.get("/healthz", access=public(reason), summary="The process answers", answer=Health)
    async def healthz(_: Call[None]) -> Health:
        return Health(status="ok")

    @routes.get("/readyz", access=public(reason), summary="The process can do its work", answer=Readiness)
    async def readyz(call: Call[None]) -> Readiness:
        database = worker = False
        try:
            database = await fetch_one("SELECT 1 AS one") is not None
            if not state["migrations"]:
                state["migrations"] = not await pending()
            age = await age_seconds(prefix=worker_name, now=call.edge.clock.now())
            worker = age is not None and age < FRESH_SECONDS
        except Exception as error:  # noqa: BLE001 - whatever the database says, we are not ready
            log.warning("not_ready", error=type(error).__name__)
        ready = database and worker and state["migrations"]
        call.status = 200 if ready else 503
        return Readiness(ready=ready, database=database, migrations=state["migrations"], worker=worker)

    return routes.blueprint
