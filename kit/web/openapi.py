"""The OpenAPI 3.1 document, from the route declarations and their pydantic models."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kit.web.routes import RouteSpec

_PARAMETER = re.compile(r"<(\w+)(?::[^>]+)?>")
_REF = "#/components/schemas/{model}"
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
    },
}


def document(specs: Sequence[RouteSpec], *, title: str, version: str) -> dict[str, Any]:
    """The whole document; callbacks are documented too, since partners implement against them."""
    keys, definitions = models_json_schema(_models(specs), ref_template=_REF)
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    schemas["Problem"] = _PROBLEM
    paths: dict[str, Any] = {}
    for spec in sorted(specs, key=lambda spec: (spec.path, spec.method)):
        path = _PARAMETER.sub(r"{\1}", spec.path) or "/"
        paths.setdefault(path, {})[spec.method.lower()] = _operation(spec, keys, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                who: {"type": "http", "scheme": "bearer", "description": f"{who} session token"}
                for who in ("resident", "staff")
            },
        },
    }


def _models(specs: Sequence[RouteSpec]) -> list[tuple[type[BaseModel], Literal["validation", "serialization"]]]:
    found: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    for spec in specs:
        found += [(model, "validation") for model in (spec.body, spec.query) if model is not None]
        if spec.answer is not None:
            found.append((spec.answer, "serialization"))
    return list(dict.fromkeys(found))


def _operation(spec: RouteSpec, keys: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": spec.summary,
        "operationId": _operation_id(spec),
        "tags": list(spec.tags),
        "parameters": _parameters(spec, keys, schemas),
        "responses": _responses(spec, keys),
        "x-access": _access(spec),
    }
    if spec.access.who in {"resident", "staff"}:
        operation["security"] = [{spec.access.who: []}]
    if spec.body is not None:
        schema = keys[(spec.body, "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif spec.stream:
        schema = {"type": "string", "contentMediaType": "application/octet-stream"}
        operation["requestBody"] = {"required": True, "content": {"*/*": {"schema": schema}}}
    return operation


def _operation_id(spec: RouteSpec) -> str:
    return spec.method.lower() + re.sub(r"[^A-Za-z0-9]+", "_", spec.path)


def _access(spec: RouteSpec) -> dict[str, Any]:
    access = spec.access
    parts = {
        "who": access.who,
        "level": access.level or None,
        "permission": access.permission,
        "system": access.system,
        "action": access.action,
        "reason": access.reason or None,
        "rate": spec.rate,
    }
    return {name: value for name, value in parts.items() if value is not None}


def _parameters(spec: RouteSpec, keys: Any, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(spec.path)
    ]
    if spec.keyed:
        schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    if spec.method == "PATCH":
        schema = {"type": "string", "pattern": '^"[0-9]{1,9}"$'}
        found.append({"name": "If-Match", "in": "header", "required": True, "schema": schema})
    if spec.query is not None:
        model = schemas[keys[(spec.query, "validation")]["$ref"].rsplit("/", 1)[1]]
        required = set(model.get("required", ()))
        for name, schema in model.get("properties", {}).items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": schema})
    return found


def _responses(spec: RouteSpec, keys: Any) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "OK"}
    if spec.answer is not None:
        good["content"] = {spec.media_type: {"schema": keys[(spec.answer, "serialization")]}}
    elif spec.media_type != "application/json":
        good["content"] = {spec.media_type: {}}
    status = spec.status if spec.answer is not None or spec.media_type != "application/json" else 204
    responses: dict[str, Any] = {str(status): good}
    by_status: dict[int, list[str]] = {}
    for error in spec.errors:
        by_status.setdefault(error.kind.value, []).append(error.code)
    for code, names in sorted(by_status.items()):
        responses[str(code)] = _problem_response(", ".join(sorted(names)))
    responses["default"] = _problem_response("A problem document")
    return responses


def _problem_response(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
