"""A Sanic app around declared routes: request ids, one log line and one measurement per request, one error handler."""

import re
import time
from collections.abc import Sequence
from typing import Any, cast

from prometheus_client import Counter, Histogram
from sanic import Blueprint, HTTPResponse, Request, Sanic

from kit.ids import new_id
from kit.log import get_logger, set_request_id
from kit.web.problem import ProblemHandler
from kit.web.routes import MARK, RouteSpec

log = get_logger("http")
_REQUESTS = Counter("http_requests_total", "Requests served", ["method", "route", "status"])
_SECONDS = Histogram("http_request_seconds", "Time to answer", ["method", "route"])
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# What a route says itself stands. Our addresses carry ids and certificates: no other site is told them.
_PROTECTING = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class UndeclaredRoute(RuntimeError):
    """A route without an access declaration; the start stops."""


def create(
    name: str, blueprints: Sequence[Blueprint], *, max_body_bytes: int, trusted_proxies: int = 0
) -> Sanic[Any, Any]:
    """An app that serves `blueprints`; UndeclaredRoute when one of their routes is not declared."""
    app: Sanic[Any, Any] = Sanic(name, configure_logging=False, error_handler=ProblemHandler())
    app.config.update(
        {
            "REQUEST_MAX_SIZE": max_body_bytes,
            "ACCESS_LOG": False,
            "MOTD": False,
            "OAS": False,
            "HEALTH": False,
            "REQUEST_TIMEOUT": 30,
            "RESPONSE_TIMEOUT": 60,
            "KEEP_ALIVE_TIMEOUT": 75,
            "GRACEFUL_SHUTDOWN_TIMEOUT": 15.0,
        }
    )
    if trusted_proxies:
        app.config.PROXIES_COUNT = trusted_proxies
    app.register_middleware(_begin, "request")
    app.register_middleware(cast("Any", _end), "response")
    for blueprint in blueprints:
        app.blueprint(blueprint)
    specs(app)
    # Once more at the start, for routes that somebody added to the app itself.
    app.register_listener(_all_declared, "before_server_start")
    return app


def specs(app: Sanic[Any, Any]) -> list[RouteSpec]:
    """Every route's declaration; UndeclaredRoute names the first that has none."""
    found: list[RouteSpec] = []
    for route in app.router.routes:
        spec = getattr(route.handler, MARK, None)
        if spec is None:
            raise UndeclaredRoute(f"{'/'.join(route.methods)} {route.path} declares no access")
        found.append(spec)
    return found


async def _all_declared(app: Sanic[Any, Any]) -> None:
    specs(app)


async def _begin(request: Request) -> None:
    given = request.headers.get("x-request-id", "")
    request.ctx.started = time.perf_counter()
    request.ctx.request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
    set_request_id(request.ctx.request_id)


async def _end(request: Request, answer: HTTPResponse) -> None:
    answer.headers["X-Request-Id"] = getattr(request.ctx, "request_id", "")
    for name, value in _PROTECTING.items():
        answer.headers.setdefault(name, value)
    seconds = time.perf_counter() - getattr(request.ctx, "started", time.perf_counter())
    spec = getattr(request.route.handler, MARK, None) if request.route else None
    path = spec.path if spec else "unmatched"
    # A label for each method that a stranger makes up would fill the memory.
    method = request.method if request.method in _METHODS else "other"
    _REQUESTS.labels(method, path, answer.status).inc()
    _SECONDS.labels(method, path).observe(seconds)
    # The template of the path, never the path: a verify link carries a certificate.
    log.info("request", method=method, route=path, status=answer.status, ms=round(seconds * 1000, 1))
