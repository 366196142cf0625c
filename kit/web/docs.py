"""`/docs`: Swagger UI from files on our own disk, so that a closed network can read it too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import swagger_ui
from sanic import Blueprint, HTTPResponse

from kit.web.access import public
from kit.web.edge import Call, Edge
from kit.web.errors import NotFound
from kit.web.routes import Routes

_ASSETS = Path(swagger_ui.__file__).parent / "static"
_SERVED = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>一窗 API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="icon" href="/docs/assets/favicon-32x32.png"></head>
<body><div id="ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body></html>"""
_DOCUMENT = "application/openapi+json"
_START = 'SwaggerUIBundle({url: "/docs/openapi.json", dom_id: "#ui", deepLinking: true});'
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def blueprint(edge: Edge, document: Callable[[], dict[str, Any]]) -> Blueprint:
    """The documentation's routes; `document` is called once, when first asked for."""
    routes = Routes("docs", "/docs", edge)
    reason = "the interface is public; data is not"
    kept: list[bytes] = []

    @routes.get("/", access=public(reason), summary="API documentation", media_type="text/html")
    async def page(_: Call[None]) -> HTTPResponse:
        headers = {"Content-Security-Policy": _POLICY}
        return HTTPResponse(_PAGE, content_type="text/html; charset=utf-8", headers=headers)

    @routes.get("/start.js", access=public(reason), summary="Its start script", media_type="text/javascript")
    async def start(_: Call[None]) -> HTTPResponse:
        return HTTPResponse(_START, content_type="text/javascript")

    @routes.get("/openapi.json", access=public(reason), summary="OpenAPI 3.1", media_type=_DOCUMENT)
    async def openapi(_: Call[None]) -> HTTPResponse:
        if not kept:
            kept.append(orjson.dumps(document()))
        return HTTPResponse(kept[0], content_type=_DOCUMENT)

    @routes.get("/assets/<name>", access=public(reason), summary="Its assets", media_type="*/*")
    async def asset(_: Call[None], name: str) -> HTTPResponse:
        if name not in _SERVED:
            raise NotFound
        return HTTPResponse(_asset(name), content_type=_SERVED[name])

    return routes.blueprint


def _asset(name: str) -> bytes:
    return (_ASSETS / name).read_bytes()
