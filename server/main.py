"""The HTTP process: mounts the blueprints of its role, with one error handler around them."""

import asyncio
import math
from typing import Any

from prometheus_client import Gauge
from sanic import Blueprint, Sanic

import miniprogram_api
from kit.clock import Clock
from kit.db.connection import close_database, open_database
from kit.db.migrate import pending
from kit.heartbeat.service import age_seconds
from kit.log import configure, get_logger
from kit.web import app as web
from kit.web import docs, health, openapi
from kit.web.edge import Edge
from payments import callbacks as payment_callbacks
from server import console, wiring
from server.adapters import carrier_kuaidi100, registry_callbacks, tax
from server.database import APPS
from server.journeys.house import House
from server.settings import Settings

VERSION = "0.1.0"
WORKERS = "worker:"
"""How the names of workers' heartbeats begin."""
WATCH_SECONDS = 5.0
log = get_logger("server")
_WORKER_AGE = Gauge("worker_heartbeat_age_seconds", "Seconds since any worker was last seen; +Inf for never")


def create_app(settings: Settings, built: wiring.Built | None = None) -> Sanic[Any, Any]:
    """The app of `settings.role`; UndeclaredRoute stops the start when a route declares no access."""
    # The seal stays closed: only workers issue certificates.
    built = built or wiring.build(settings, seal=False)
    edge = built.edge
    connection = wiring.connection(settings)
    made: list[Sanic[Any, Any]] = []

    def document() -> dict[str, Any]:
        return openapi.document(web.specs(made[0]), title="Yichuang 一窗", version=VERSION)

    async def not_yet_migrated() -> list[str]:
        return await pending(connection, APPS)

    app = web.create(
        f"yichuang-{settings.role}",
        [
            *blueprints(settings, built, built.house, edge),
            docs.blueprint(edge, document),
            health.blueprint(edge, pending=not_yet_migrated, worker_name=WORKERS),
        ],
        max_body_bytes=settings.http.max_body_bytes,
        trusted_proxies=settings.http.trusted_proxies,
    )
    made.append(app)

    @app.before_server_start
    async def open_up(_: Sanic[Any, Any]) -> None:
        await open_database(connection, APPS)

    watching: list[asyncio.Task[None]] = []

    @app.after_server_start
    async def look_after(_: Sanic[Any, Any]) -> None:
        watching.append(asyncio.create_task(_watch_workers(built.house.clock)))

    @app.before_server_stop
    async def look_away(_: Sanic[Any, Any]) -> None:
        for task in watching:
            task.cancel()

    @app.after_server_stop
    async def close_down(_: Sanic[Any, Any]) -> None:
        await built.close()
        await close_database()

    return app


async def _watch_workers(clock: Clock) -> None:
    """A dead worker answers for no metric of its own, so the server tells how long none has been seen."""
    while True:
        try:
            age = await age_seconds(prefix=WORKERS, now=clock.now())
            _WORKER_AGE.set(math.inf if age is None else age)
        except Exception as error:  # noqa: BLE001 - whatever the database says, we look again
            log.warning("workers_not_seen", error=type(error).__name__)
        await asyncio.sleep(WATCH_SECONDS)


def blueprints(settings: Settings, built: wiring.Built, house: House, edge: Edge) -> list[Blueprint]:
    """What the role serves: the platform faces residents and their wallets, the registry faces its officers."""
    found: list[Blueprint] = []
    if settings.role in {"platform", "all"}:
        found += miniprogram_api.blueprints(house, edge)
        found.append(tax.blueprint(house, edge, built.tax_verifier))
        found.append(payment_callbacks.blueprint(house.payments, edge))
        found.append(carrier_kuaidi100.blueprint(house.delivery, edge))
        found += console.platform_blueprints(house, edge)
    if settings.role in {"registry", "all"}:
        found += console.registry_blueprints(house, edge)
    found += console.common_blueprints(house, edge)
    if settings.link.kind == "http":
        found += registry_callbacks.blueprints(house, edge, built.peer_verifier, role=settings.role)
    return found


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are finished within 15 seconds. CannotStart before that."""
    configure(settings.log.level)
    app = create_app(settings)
    listener = wiring.listen(settings.http.host, settings.http.port)
    wiring.serve_metrics(settings.http.metrics_host, settings.http.metrics_port)
    log.info("server_starting", role=settings.role, port=settings.http.port)
    app.run(sock=listener, single_process=True, access_log=False, motd=False)
