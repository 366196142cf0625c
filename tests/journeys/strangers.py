"""Somebody under their real name, who knows every id of other people's, and reaches nothing by any of them."""

import base64
import re
import uuid
from typing import Any

import httpx

from sandbox.demo import cast, materials
from sandbox.demo.scene import Scene
from sandbox.people import FICTIONAL
from sandbox.phones.journey import Journey
from tests.journeys.city import City

_ID = re.compile(r"\{(\w+)\}")
_LENGTH = 32


def _bodies(ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What a route takes that wants more than `{}`: with less it would be refused before anybody asks whose it is."""
    return {
        "PATCH /api/v1/applications/{application_id}": {"price_fen": 1},
        "POST /api/v1/applications/{application_id}/confirmations": {
            "digest": "0" * 64,
            "face_check_id": ids["check_id"],
            "signature_png_base64": base64.b64encode(materials.drawn_signature("张明")).decode(),
        },
        "PUT /api/v1/applications/{application_id}/inquiry": {"answers": {}},
        "POST /api/v1/applications/{application_id}/payments": {"wallet": "wechat"},
        "POST /api/v1/applications/{application_id}/refusal": {"reason": "价格没有谈妥"},
        "POST /api/v1/deliveries": {"certificate_id": ids["certificate_id"], "receiver": cast.RECEIVER},
    }


def reach_nothing(city: City, scene: Scene) -> None:
    """Every route of residents that names something by its id, asked with the ids of this case."""
    phone = city.phone(FICTIONAL[3], Journey(), scene.outside)
    phone.log_in()
    phone.prove_real_name()
    ids = _ids(city, scene)
    bodies = _bodies(ids)
    with httpx.Client(base_url=city.url, trust_env=False, timeout=20) as http:
        http.headers["Authorization"] = f"Bearer {phone.calls.token}"
        wrong = {
            f"{method} {path}": answer.status_code
            for method, path in _routes(http)
            if (answer := _ask(http, method, path, ids, bodies)).status_code != 404
        }
        shown = "".join(http.get(path).text for path in _lists(http))
    phone.calls.close()
    assert wrong == {}
    assert [name for name, value in ids.items() if len(value) == _LENGTH and value in shown] == []


def _ids(city: City, scene: Scene) -> dict[str, str]:
    """Of each kind one that is somebody's, by its name in the addresses."""

    def one(table: str) -> str:
        return str(city.rows(f"SELECT id FROM {table} ORDER BY id LIMIT 1")[0]["id"])  # noqa: S608 - ours

    return {
        "application_id": scene.application_id,
        "order_id": scene.order_id,
        "certificate_id": str(scene.new_certificate["id"]),
        "booking_id": one("appointments_booking"),
        "delivery_id": one("delivery_order"),
        "check_id": one("identity_face_check"),
        "message_id": one("notifications_message"),
        "file_id": one("applications_material"),
        "evidence_id": one("sharing_evidence"),
        "code": "M08",
        "kind": "receipt",
    }


def _routes(http: httpx.Client) -> list[tuple[str, str]]:
    """Those of residents that name something by its id; where and when offices are open is for everybody."""
    paths = http.get("/docs/openapi.json").json()["paths"]
    found = [
        (method.upper(), path)
        for path, methods in paths.items()
        for method, declared in methods.items()
        if declared["x-access"]["who"] == "resident" and _ID.search(path) and "{office_id}" not in path
    ]
    assert len(found) > 25
    return [*found, ("POST", "/api/v1/deliveries")]


def _lists(http: httpx.Client) -> list[str]:
    paths = http.get("/docs/openapi.json").json()["paths"]
    return [
        path
        for path, methods in paths.items()
        if methods.get("get", {}).get("x-access", {}).get("who") == "resident" and not _ID.search(path)
    ]


def _ask(
    http: httpx.Client, method: str, path: str, ids: dict[str, str], bodies: dict[str, dict[str, Any]]
) -> httpx.Response:
    address = _ID.sub(lambda found: ids[found[1]], path)
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": '"1"'}
    if path.endswith("/files"):
        picture = materials.make("M08", None)
        return http.post(address, content=picture.content, headers={**headers, "Content-Type": picture.mime})
    body = None if method in {"GET", "DELETE"} else bodies.get(f"{method} {path}", {})
    return http.request(method, address, headers=headers, json=body)
