"""Declaring routes: path, access, input, answer; the same declaration serves the request and the OpenAPI document."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Required, TypedDict, Unpack

from pydantic import BaseModel
from sanic import Blueprint, HTTPResponse, Request

from kit.errors import Problem
from kit.web.access import Access
from kit.web.edge import Call, Edge, discard, json_body, request_key
from kit.web.limits import caller_at, parse
from kit.web.validation import from_json, from_query

Endpoint = Callable[..., Awaitable[Any]]
MARK = "__yichuang_route__"
LONGEST_ROUTE = 128  # as the idempotency keys keep it
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NOBODYS = "0" * 32


class Declared(TypedDict, total=False):
    """What is said of a route; `keyed` requires an Idempotency-Key, `rate` is per caller such as "10/minute"."""

    access: Required[Access]
    summary: Required[str]
    body: type[BaseModel]
    query: type[BaseModel]
    answer: type[BaseModel]
    status: int
    keyed: bool
    stream: bool
    rate: str
    media_type: str
    errors: tuple[type[Problem], ...]


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """What a route promises."""

    method: str
    path: str
    access: Access
    summary: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    keyed: bool = False
    stream: bool = False
    rate: str | None = None
    media_type: str = "application/json"
    errors: tuple[type[Problem], ...] = ()
    tags: tuple[str, ...] = ()


class Routes:
    """A blueprint whose every route is declared."""

    def __init__(self, name: str, prefix: str, edge: Edge) -> None:
        self.blueprint = Blueprint(name, url_prefix=prefix or None)
        self._name = name
        self._prefix = prefix
        self._edge = edge

    def route(self, method: str, path: str, **declared: Unpack[Declared]) -> Callable[[Endpoint], Endpoint]:
        """Declare one route; ValueError when the declaration cannot hold."""
        spec = RouteSpec(method, self._prefix + path, tags=(self._name,), **declared)
        _check(spec)

        def declare(endpoint: Endpoint) -> Endpoint:
            handler = _serve(spec, endpoint, self._edge)
            options: dict[str, Any] = {"stream": True} if spec.stream else {}
            self.blueprint.add_route(
                handler,
                path or "/",
                # Whoever may read may ask for the head alone, as link previews and uptime checks do.
                methods=["GET", "HEAD"] if method == "GET" else [method],
                name=endpoint.__name__,
                strict_slashes=False,
                **options,
            )
            return endpoint

        return declare

    def get(self, path: str, **declared: Unpack[Declared]) -> Callable[[Endpoint], Endpoint]:
        """Declare a GET; it changes nothing."""
        return self.route("GET", path, **declared)

    def post(self, path: str, **declared: Unpack[Declared]) -> Callable[[Endpoint], Endpoint]:
        """Declare a POST that creates or moves something: it requires an Idempotency-Key unless said otherwise."""
        declared.setdefault("keyed", True)
        return self.route("POST", path, **declared)

    def put(self, path: str, **declared: Unpack[Declared]) -> Callable[[Endpoint], Endpoint]:
        """Declare a PUT; repeating it changes nothing more."""
        return self.route("PUT", path, **declared)

    def patch(self, path: str, **declared: Unpack[Declared]) -> Callable[[Endpoint], Endpoint]:
        """Declare a PATCH; it carries If-Match."""
        return self.route("PATCH", path, **declared)

    def delete(self, path: str, **declared: Unpack[Declared]) -> Callable[[Endpoint], Endpoint]:
        """Declare a DELETE."""
        return self.route("DELETE", path, **declared)


def _check(spec: RouteSpec) -> None:
    route = f"{spec.method} {spec.path}"
    if spec.keyed and spec.access.who in {"public", "callback"}:
        raise ValueError(f"{route}: an idempotency key belongs to somebody who is known; say keyed=False")
    if len(route) > LONGEST_ROUTE:
        raise ValueError(f"{route}: longer than {LONGEST_ROUTE}")
    if spec.rate is not None:
        parse(spec.rate)


def _serve(spec: RouteSpec, endpoint: Endpoint, edge: Edge) -> Callable[..., Coroutine[Any, Any, HTTPResponse | None]]:
    route = f"{spec.method} {spec.path}"

    async def rest(request: Request) -> None:
        if spec.stream:  # also when all is well: a repeated upload is answered without looking at its body
            await discard(request)

    async def serve(request: Request, path: dict[str, Any]) -> HTTPResponse:
        who = await edge.admit(request, spec.access)
        if spec.rate is not None:
            await edge.limits.check(spec.rate, route=route, caller=who.id or _address(request))
        # A stream is read by the endpoint; its length and kind are what the edge can bind a key to.
        raw = _outline(request) if spec.stream else b""
        given: Any = None
        if spec.body is not None:
            raw = json_body(request)
            given = from_json(spec.body, raw)
        elif spec.query is not None:
            given = from_query(spec.query, dict(request.args))
        keyed = request_key(edge, request, route, who, raw) if spec.keyed else None
        call: Call[Any] = Call(request, edge, route, who, given, spec.status, keyed)
        return _answer(await endpoint(call, **_ids(path)), call)

    async def handler(request: Request, **path: Any) -> HTTPResponse:
        try:
            answer = await serve(request, path)
        except Exception:
            await rest(request)
            raise
        await rest(request)
        return answer

    setattr(handler, MARK, spec)
    handler.__name__ = endpoint.__name__
    return handler


def _ids(path: Mapping[str, Any]) -> dict[str, Any]:
    """The path's values; an id that cannot be one becomes nobody's, so that the route's own 404 answers it.

    What is longer than its column is an error to the mapper, not an absent row.
    """
    return {
        name: _NOBODYS if name.endswith("_id") and not _ID.fullmatch(value) else value for name, value in path.items()
    }


def _outline(request: Request) -> bytes:
    return "\n".join(request.headers.get(name, "") for name in ("content-length", "content-type")).encode()


def _address(request: Request) -> str:
    return caller_at(request.remote_addr or request.ip)


def _answer(result: Any, call: Call[Any]) -> HTTPResponse:
    if isinstance(result, HTTPResponse):
        return result
    if result is None:
        return HTTPResponse(status=204)
    headers = {"Cache-Control": "no-store"}
    version = getattr(result, "version", None)
    if isinstance(version, int):
        headers["ETag"] = f'"{version}"'
    body = result if isinstance(result, bytes) else result.model_dump_json()
    return HTTPResponse(body, status=call.status, headers=headers, content_type="application/json")
