import re
from enum import StrEnum
from typing import Annotated, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from kit.errors import Kind, Problem
from kit.web import app as web
from kit.web import docs, openapi
from kit.web.access import callback, public, resident, staff
from kit.web.edge import Call
from kit.web.routes import Routes
from kit.web.validation import Answer, Input, Query
from tests.support.serving import client, edge, served

REASON = "a test asks"


class Colour(StrEnum):
    RED = "red"


class Part(Input):
    name: Annotated[str, Field(max_length=20)]
    colour: Colour | None = None


class Whole(Input):
    parts: list[Part]


class Search(Query):
    limit: int = 20
    state: str


class Made(Answer):
    id: str
    version: int
    part: Part | None


class TooMany(Problem):
    code = "TOO_MANY_PARTS"
    kind = Kind.CONTENT


def _routes() -> Routes:
    routes = Routes("things", "/api/v1", edge())

    @routes.post("/things", access=resident(3), status=201, summary="Make", body=Whole, answer=Made, errors=(TooMany,))
    async def make(call: Call[Whole]) -> Made: ...

    @routes.get("/things", access=staff("case.read"), summary="Search", query=Search, answer=Made)
    async def search(call: Call[Search]) -> Made: ...

    @routes.patch("/things/<thing_id:[a-z]+>", access=resident(1, action="sign"), summary="Change", body=Part)
    async def change(call: Call[Part], thing_id: str) -> None: ...

    @routes.post("/notices", access=callback("bank"), keyed=False, summary="Notice", rate="5/minute")
    async def notice(call: Call[None]) -> None: ...

    @routes.put("/things/<thing_id>/file", access=resident(1), summary="Upload", stream=True, answer=Made)
    async def upload(call: Call[None], thing_id: str) -> Made: ...

    @routes.get("/v/<code>", access=public(REASON), summary="Page", media_type="text/html")
    async def page(call: Call[None], code: str) -> None: ...

    return routes


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = web.create("documented", [_routes().blueprint], max_body_bytes=1024)
    return openapi.document(web.specs(app), title="Test", version="1")


def test_the_document_is_openapi_3_1(document: dict[str, Any]):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_keeps_what_the_models_say(document: dict[str, Any]):
    make = document["paths"]["/api/v1/things"]["post"]
    schema = make["requestBody"]["content"]["application/json"]["schema"]
    whole = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    assert whole["required"] == ["parts"]
    assert whole["additionalProperties"] is False
    assert "TOO_MANY_PARTS" in make["responses"]["422"]["description"]
    assert make["security"] == [{"resident": []}]
    assert make["x-access"]["level"] == 3
    assert [one["name"] for one in make["parameters"]] == ["Idempotency-Key"]


def test_parameters_come_from_path_query_and_headers(document: dict[str, Any]):
    search = document["paths"]["/api/v1/things"]["get"]["parameters"]
    assert {one["name"]: one["required"] for one in search} == {"limit": False, "state": True}
    change = document["paths"]["/api/v1/things/{thing_id}"]["patch"]
    assert [(one["name"], one["in"]) for one in change["parameters"]] == [("thing_id", "path"), ("If-Match", "header")]
    assert list(change["responses"]) == ["204", "default"]
    assert document["paths"]["/api/v1/notices"]["post"]["x-access"] == {
        "who": "callback",
        "system": "bank",
        "rate": "5/minute",
    }


async def test_the_documentation_loads_nothing_from_elsewhere():
    asked = []

    def document() -> dict[str, Any]:
        asked.append(1)
        return {"openapi": "3.1.0"}

    async with served([docs.blueprint(edge(), document)]) as base_url, client(base_url) as http:
        page = await http.get("/docs")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        start = await http.get("/docs/start.js")
        assert "://" not in page.text + start.text
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text) + re.findall(r'url: "([^"]+)"', start.text)
        assert len(addresses) == 5
        for address in addresses:
            answer = await http.get(address)
            assert (answer.status_code, bool(answer.content)) == (200, True), address
        assert (await http.get("/docs/openapi.json")).json() == {"openapi": "3.1.0"}
        assert asked == [1], "the document is made once"
        for path in ("/docs/assets/index.html", "/docs/assets/..%2f__init__.py", "/docs/assets/%2e%2e/__init__.py"):
            assert (await http.get(path)).status_code == 404
