"""Two houses that reach each other over signed HTTP, and everybody else who tries the same doors."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.signing import RequestSigner, RequestVerifier
from kit.ids import new_id
from kit.inbox.models import InboxMessage
from kit.outbox.models import OutboxRow
from server.adapters.registry_callbacks import MATERIAL_BYTES, blueprints
from server.adapters.registry_http import HttpPlatform, HttpRegistry, SignedPeer
from server.adapters.registry_wire import encode_down, encode_up
from server.registry import rules
from server.registry.models import RegistryQueryNonce
from server.terms.messages import DownMessage, UpMessage
from tests.factories import registry
from tests.factories.road import Road, road
from tests.support.moments import NOON
from tests.support.serving import edge, served

APPLICATION = "0192f3a45b6c7d8e9f00112233445566"
CONTENT = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 5000
DIGEST = sha256(CONTENT).hexdigest()


@dataclass
class Doors:
    """A house that serves both sides' callbacks, and a peer that may call them."""

    road: Road
    base: str
    peer: SignedPeer
    signer: RequestSigner
    http: HttpClient

    async def call(self, method: str, path: str, body: bytes, **changed: str) -> httpx.Response:
        """A signed call whose headers can be changed afterwards."""
        headers = self.signer.headers(method, path, body, now=self.road.clock.now())
        return await self.send(method, path, body, {**headers, **changed})

    async def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        merged = {"Content-Type": "application/json", **headers}
        return await self.http.request(method, self.base + path, content=body, headers=merged)


def pair() -> tuple[bytes, bytes]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
async def doors(db: object, tmp_path: Path) -> AsyncIterator[Doors]:
    made = await road(tmp_path / "files")
    private, public = pair()
    signer, verifier = RequestSigner("peer", private), RequestVerifier({"peer": public})
    found = blueprints(made.house, edge(clock=made.clock), verifier, role="all")
    http = HttpClient("peer")
    async with served(found) as base:
        yield Doors(made, base, SignedPeer(http, base_url=base, signer=signer, clock=made.clock), signer, http)
    await http.aclose()


def withdrawal() -> UpMessage:
    body = {"application_id": APPLICATION, "withdrawn_at": "2026-03-16T12:00:00+08:00", "reason": ""}
    return UpMessage(new_id(), "withdrawal", APPLICATION, NOON, body)


def entered() -> DownMessage:
    body = {"application_id": APPLICATION, "entered_at": "2026-03-16T12:00:00+08:00"}
    return DownMessage(new_id(), "entered", APPLICATION, NOON, body)


async def test_messages_arrive_both_ways_and_only_once(doors: Doors) -> None:
    up, down = withdrawal(), entered()
    for _ in range(2):
        await HttpRegistry(doors.peer, doors.road.files).send(up)
        await HttpPlatform(doors.peer).send(down)
    rows = await InboxMessage.all().order_by("system").values_list("system", "external_id")
    assert rows == [("platform", up.id), ("registry", down.id)]
    handlers = await OutboxRow.all().order_by("handler").values_list("handler", "ordering_key")
    assert handlers == [("registry.record", APPLICATION), ("relay.record", APPLICATION)]
    again = await doors.call("POST", "/callbacks/platform", encode_up(up))
    assert (again.status_code, again.json()) == (200, {"received": True, "duplicate": True})


@pytest.mark.parametrize(
    ("path", "body"),
    [("/callbacks/platform", encode_up(withdrawal())), ("/callbacks/registry", encode_down(entered()))],
)
async def test_what_is_forged_stale_or_unknown_is_refused(doors: Doors, path: str, body: bytes) -> None:
    stranger = RequestSigner("peer", pair()[0])
    unknown = RequestSigner("somebody", pair()[0])
    now = doors.road.clock.now()
    attempts: list[dict[str, str]] = [
        {},
        stranger.headers("POST", path, body, now=now),
        unknown.headers("POST", path, body, now=now),
        doors.signer.headers("POST", path, body, now=now - timedelta(minutes=6)),
        doors.signer.headers("POST", path, body, now=now + timedelta(minutes=6)),
        doors.signer.headers("POST", path, body + b" ", now=now),
        doors.signer.headers("POST", "/callbacks/other", body, now=now),
        doors.signer.headers("PUT", path, body, now=now),
        {**doors.signer.headers("POST", path, body, now=now), "Yc-Nonce": "another"},
    ]
    for headers in attempts:
        answer = await doors.send("POST", path, body, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "CALLBACK_SIGNATURE_WRONG")
        assert answer.headers["content-type"] == "application/problem+json"
    assert not await InboxMessage.all().count()


@pytest.mark.parametrize("path", ["/callbacks/platform", "/callbacks/registry", "/callbacks/platform/queries"])
async def test_what_is_no_message_is_refused_although_signed(doors: Doors, path: str) -> None:
    answer = await doors.call("POST", path, b'{"version": 1}')
    assert (answer.status_code, answer.json()["code"]) == (422, "CALLBACK_MESSAGE_WRONG")
    assert not await InboxMessage.all().count()


async def test_a_file_streams_over_and_keeps_its_digest(doors: Doors) -> None:
    files = doors.road.files
    stored = await files.put(scope=f"application/{APPLICATION}", chunks=registry._once(CONTENT), limit=10**7)
    for _ in range(2):
        await HttpRegistry(doors.peer, files).put_material(
            application_id=APPLICATION, scope=f"application/{APPLICATION}", digest=stored.digest
        )
    found = await files.read(scope=rules.material_scope(APPLICATION), digest=DIGEST, limit=10**7)
    assert found == CONTENT


async def test_a_signature_caught_on_the_way_removes_no_file(doors: Doors) -> None:
    scope, other = rules.material_scope(APPLICATION), b"another material of the same application"
    kept = await doors.road.files.put(scope=scope, chunks=registry._once(other), limit=10**7)
    path = f"/callbacks/platform/materials/{APPLICATION}/{DIGEST}"
    signed = doors.signer.headers("PUT", path, CONTENT, now=doors.road.clock.now())
    answer = await doors.send("PUT", path, other, signed)
    assert (answer.status_code, answer.json()["code"]) == (422, "CALLBACK_DIGEST_WRONG")
    assert await doors.road.files.read(scope=scope, digest=kept.digest, limit=10**7) == other


async def test_a_file_that_is_not_what_was_signed_leaves_nothing(doors: Doors) -> None:
    path = f"/callbacks/platform/materials/{APPLICATION}/{DIGEST}"
    signed = doors.signer.headers("PUT", path, CONTENT, now=doors.road.clock.now())
    other = b"something else"
    answer = await doors.send("PUT", path, other, signed)
    assert (answer.status_code, answer.json()["code"]) == (422, "CALLBACK_DIGEST_WRONG")
    unsigned = await doors.send("PUT", path, CONTENT, {})
    assert unsigned.status_code == 401
    scope = rules.material_scope(APPLICATION)
    for digest in (DIGEST, sha256(other).hexdigest()):
        assert not await doors.road.files.exists(scope, digest)


async def test_a_file_larger_than_allowed_is_cut_off(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MATERIAL_BYTES >= 20 * 1024 * 1024
    monkeypatch.setattr("server.adapters.registry_callbacks.MATERIAL_BYTES", 1000)
    path = f"/callbacks/platform/materials/{APPLICATION}/{DIGEST}"
    answer = await doors.call("PUT", path, CONTENT)
    assert answer.status_code == 413
    assert not await doors.road.files.exists(rules.material_scope(APPLICATION), DIGEST)


async def test_a_live_query_is_answered_to_the_signed_platform_once(doors: Doors) -> None:
    await registry.seed_h1(doors.road.house.registry)
    far = HttpRegistry(doors.peer, doors.road.files)
    found = await far.query_unit(unit_code=registry.H1, certificate_number=registry.H1_NUMBER)
    near = await doors.road.house.relay.registry.query_unit(
        unit_code=registry.H1, certificate_number=registry.H1_NUMBER
    )
    assert found == near
    assert found is not None
    assert [owner.name for owner in found.owners] == ["张明", "李静"]
    assert await far.query_unit(unit_code=registry.H2, certificate_number=registry.H1_NUMBER) is None
    body = f'{{"unit_code": "{registry.H1}", "certificate_number": "x"}}'.encode()
    path = "/callbacks/platform/queries"
    headers = doors.signer.headers("POST", path, body, now=doors.road.clock.now())
    answers = [await doors.send("POST", path, body, headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json()["code"] == "QUERY_REPLAYED"
    assert (await doors.send("POST", path, body, {})).status_code == 401
    assert await RegistryQueryNonce.all().count() == 4


async def test_refusals_are_permanent_only_when_the_bytes_are_to_blame(doors: Doors) -> None:
    stranger = SignedPeer(
        doors.http, base_url=doors.base, signer=RequestSigner("peer", pair()[0]), clock=doors.road.clock
    )
    with pytest.raises(OutsideError) as unsigned:
        await stranger.send("POST", "/callbacks/platform", b"{}")
    assert (unsigned.value.code, unsigned.value.permanent) == ("HTTP_401", False)
    with pytest.raises(OutsideError) as wrong:
        await doors.peer.send("POST", "/callbacks/platform", b"{}")
    assert (wrong.value.code, wrong.value.permanent) == ("HTTP_422", True)


async def test_an_answer_that_is_none_is_an_error_of_the_other_side(doors: Doors) -> None:
    class Odd(SignedPeer):
        async def send(self, *_: Any, **__: Any) -> bytes:
            return b"<html>"

    odd = Odd(doors.http, base_url=doors.base, signer=doors.signer, clock=doors.road.clock)
    with pytest.raises(OutsideError) as caught:
        await HttpRegistry(odd, doors.road.files).query_unit(unit_code="u", certificate_number="c")
    assert (caught.value.code, caught.value.permanent) == ("BAD_ANSWER", False)


def test_a_role_opens_only_its_own_doors(tmp_path: Path) -> None:
    verifier = RequestVerifier({"peer": pair()[1]})
    house: Any = type("House", (), {"registry": MagicMock(), "relay": MagicMock()})()
    names = {
        role: [found.name for found in blueprints(house, edge(), verifier, role=role)]
        for role in ("platform", "registry", "all")
    }
    assert names == {
        "platform": ["registry_callback"],
        "registry": ["platform_callback"],
        "all": ["registry_callback", "platform_callback"],
    }
    assert blueprints(house, edge(), None, role="all") == []
