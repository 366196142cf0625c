"""The tax bureau's interface: whose answer is believed, and whose notice is taken."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit.clock import FixedClock
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.signing import RequestSigner, RequestVerifier
from kit.inbox.models import InboxMessage
from kit.outbox import Handler
from server.adapters import tax
from server.adapters.registry_callbacks import blueprints
from server.adapters.tax import NOTICE_PATH, SignedTaxBureau
from server.applications.events import TaxNoticeArrived
from server.applications.ports import Declaration
from tests.factories.road import Road, _nothing, road
from tests.support.moments import NOON
from tests.support.serving import client, edge, served

SALE = Declaration(
    declaration_no="a" * 32,
    case_number="20260316-320114-000001",
    unit_code="320114001002GB00012F00180302",
    area_centiare=8950,
    price_fen=200_000_000,
    held_since=date(2019, 5, 10),
    sole_home_over_five_years=True,
    usage="11",
    sellers=(),
    buyers=(),
)
NOTICE = {"event_id": "e-1", "declaration_no": SALE.declaration_no, "status": "cleared"}


def pair() -> tuple[bytes, bytes]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Bureau:
    """Answers every declaration with `answers`, signed."""

    signer: RequestSigner
    answers: dict[str, Any]
    system: str = "tax"

    async def request(self, method: str, url: str, **_: Any) -> httpx.Response:
        body = orjson.dumps(self.answers)
        headers = self.signer.headers(method, httpx.URL(url).path, body, now=NOON)
        return httpx.Response(200, content=body, headers=headers)


def adapter(answers: dict[str, Any], *, key_id: str = "bureau") -> SignedTaxBureau:
    private, public = pair()
    return SignedTaxBureau(
        cast("HttpClient", Bureau(RequestSigner(key_id, private), answers)),
        base_url="https://tax.example/api",
        notice_url=f"https://city.example{NOTICE_PATH}",
        signer=RequestSigner("city", pair()[0]),
        verifier=RequestVerifier({"bureau": public}),
        clock=FixedClock(NOON),
    )


def assessed(number: str) -> dict[str, Any]:
    lines = [{"tax": "deed_tax", "payer": "buyer", "amount_fen": 2_000_000}]
    return {"declaration_no": number, "accepted_at": "2026-03-16T12:00:00+08:00", "taxes": lines}


async def test_a_declaration_gets_its_own_assessment() -> None:
    found = await adapter(assessed(SALE.declaration_no)).declare(SALE)
    assert (found.declaration_no, found.taxes[0].amount_fen) == (SALE.declaration_no, 2_000_000)


@pytest.mark.parametrize(
    ("answers", "key_id"),
    [(assessed("b" * 32), "bureau"), (assessed(SALE.declaration_no), "somebody"), ({"taxes": []}, "bureau")],
)
async def test_another_sales_assessment_or_anothers_word_is_no_answer(answers: dict[str, Any], key_id: str) -> None:
    with pytest.raises(OutsideError) as refused:
        await adapter(answers, key_id=key_id).declare(SALE)
    assert (refused.value.code, refused.value.permanent) == ("BAD_ANSWER", False)


@dataclass
class Unsigned:
    """Answers whatever it is asked with a status and nothing signed."""

    status: int
    system: str = "tax"

    async def request(self, *_: Any, **__: Any) -> httpx.Response:
        return httpx.Response(self.status, content=b"{}")


async def test_a_bureau_that_cannot_be_asked_proves_nothing_and_says_so() -> None:
    asked = adapter({})
    assert await asked.check_connection() is None
    for status in (404, 405):
        asked._http = cast("HttpClient", Unsigned(status))
        assert "only a real declaration" in (await asked.check_connection() or "")
    for status, code in ((200, "BAD_ANSWER"), (401, "HTTP_401"), (503, "HTTP_503")):
        asked._http = cast("HttpClient", Unsigned(status))
        with pytest.raises(OutsideError) as refused:
            await asked.check_connection()
        assert (refused.value.code, refused.value.permanent) == (code, False)


@dataclass
class Doors:
    """The bureau's door and those of the two sides, each with a key of its own."""

    road: Road
    http: httpx.AsyncClient
    bureau: RequestSigner
    peer: RequestSigner

    async def call(self, path: str, body: bytes, signer: RequestSigner, *, late: int = 0) -> httpx.Response:
        now = self.road.clock.now() - timedelta(seconds=late)
        return await self.http.post(path, content=body, headers=signer.headers("POST", path, body, now=now))


@pytest.fixture
async def doors(db: object, tmp_path: Path) -> AsyncIterator[Doors]:
    made = await road(tmp_path / "files", handlers=(Handler("taxes.record", TaxNoticeArrived, _nothing),))
    (bureau, bureau_public), (peer, peer_public) = pair(), pair()
    door = edge(clock=made.clock)
    found = [
        tax.blueprint(made.house, door, RequestVerifier({"bureau": bureau_public})),
        *blueprints(made.house, door, RequestVerifier({"platform": peer_public}), role="registry"),
    ]
    async with served(found) as base, client(base) as http:
        yield Doors(made, http, RequestSigner("bureau", bureau), RequestSigner("platform", peer))


async def test_a_notice_is_kept_once(doors: Doors) -> None:
    answers = [(await doors.call(NOTICE_PATH, orjson.dumps(NOTICE), doors.bureau)).json() for _ in range(2)]
    assert [answer["duplicate"] for answer in answers] == [False, True]
    assert await InboxMessage.filter(system="tax", external_id="e-1").count() == 1


async def test_a_key_opens_its_own_door_only(doors: Doors) -> None:
    body = orjson.dumps(NOTICE)
    for path, signer in (
        (NOTICE_PATH, doors.peer),
        ("/callbacks/platform", doors.bureau),
        ("/callbacks/platform/queries", doors.bureau),
    ):
        answer = await doors.call(path, body, signer)
        assert (answer.status_code, answer.json()["code"]) == (401, "CALLBACK_SIGNATURE_WRONG"), path
    # A side that is not served here has no door at all.
    assert (await doors.call("/callbacks/registry", body, doors.peer)).status_code == 404
    assert (await doors.call(NOTICE_PATH, body, doors.bureau, late=301)).status_code == 401
    assert await InboxMessage.all().count() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event_id": ""}', b'{"event_id": "' + b"e" * 129 + b'"}'])
async def test_a_notice_without_an_id_of_its_own_is_refused(doors: Doors, body: bytes) -> None:
    answer = await doors.call(NOTICE_PATH, body, doors.bureau)
    assert answer.status_code == 401
    assert await InboxMessage.all().count() == 0
