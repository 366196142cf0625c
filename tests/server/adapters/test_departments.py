"""The data-sharing hub's interface: against the sandbox on the wire, and against answers no hub should give."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit.clock import FixedClock, SystemClock
from kit.db import transactional
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.signing import RequestSigner, RequestVerifier
from kit.ids import new_id
from sandbox import credentials
from sandbox.credentials import CITY_KEY_ID, HUB_KEY_ID
from sandbox.server import served
from server.adapters.departments import HubDepartments
from server.sharing.ports import Answer, Question
from server.sharing.rules import Result
from server.terms.evidence import Household, MaritalStatus, Marriage, Member, Relation
from tests.support.moments import NOON

P1, P3, P4 = ("张明", "32010219850312999X"), ("王强", "320106199003079973"), ("陈晓", "320106199208159969")
P6, P7 = ("周芳", "320104196801059989"), ("周老", "32010419401001999X")


def question(person: tuple[str, str], **changes: str) -> Question:
    given = {"request_no": new_id(), "purpose": "核对共有关系", "legal_basis": "条例第二十四条", **changes}
    return Question(name=person[0], id_number=person[1], **given)


@dataclass
class Hub:
    """The adapter against a served sandbox, and the sandbox's control desk."""

    port: HubDepartments
    desk: httpx.AsyncClient
    http: HttpClient

    async def fault(self, target: str, kind: str, **more: Any) -> None:
        answer = await self.desk.post("/_control/faults", json={"target": target, "kind": kind, **more})
        assert answer.status_code == 200, answer.text

    async def on_file(self, **form: Any) -> None:
        answer = await self.desk.post("/_control/departments/records", json=form)
        assert answer.status_code == 200, answer.text

    async def questions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.desk.get("/_control/departments/questions")).json()["items"]
        return found


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    credentials.init(folder)
    return folder


@pytest.fixture
async def hub(keys: Path) -> AsyncIterator[Hub]:
    given = keys / "credentials"
    http = HttpClient("departments", timeout=60)
    async with served(keys) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as desk:
        port = HubDepartments(
            http,
            base_url=f"{running.url}/departments",
            signer=RequestSigner(CITY_KEY_ID, (given / "city_hub_key.pem").read_bytes()),
            verifier=RequestVerifier({HUB_KEY_ID: (given / "hub_public.pem").read_bytes()}),
            clock=SystemClock(),
        )
        yield Hub(port, desk, http)
    await http.aclose()


async def test_what_the_departments_have_on_file(hub: Hub):
    married = await hub.port.marriage(question(P1))
    assert isinstance(married.content, Marriage)
    assert (married.content.status, married.content.spouse_name) == (MaritalStatus.MARRIED, "李静")
    assert married.content.spouse_id_number_masked == "320***********9982"
    assert (married.answer_no[:2], len(married.digest)) == ("MZ", 64)
    alone = await hub.port.marriage(question(P4))
    assert alone.content == Marriage(MaritalStatus.UNMARRIED)
    home = await hub.port.household(question(P3))
    assert home.content == Household(
        (Member("王强", Relation.SELF, minor=False), Member("王小宝", Relation.CHILD, minor=True))
    )


async def test_no_record_and_another_name(hub: Hub):
    assert (await hub.port.marriage(question(P7))).result is Result.NOT_FOUND
    assert (await hub.port.marriage(question(("无名", "110101199003070000")))).result is Result.NOT_FOUND
    other = await hub.port.marriage(question(P6))
    assert (other.result, other.content) == (Result.MISMATCH, None)
    await hub.on_file(source="household", person="P4", record=None)
    assert (await hub.port.household(question(P4))).result is Result.NOT_FOUND


async def test_the_hub_hears_purpose_basis_and_only_the_fields_needed(hub: Hub):
    asked = question(P3)
    await hub.port.household(asked)
    heard = next(each for each in await hub.questions() if each["request_no"] == asked.request_no)
    assert (heard["purpose"], heard["legal_basis"]) == (asked.purpose, asked.legal_basis)
    assert sorted(heard["fields"]) == ["minor", "name", "relation"]


@pytest.mark.parametrize("missing", ["purpose", "legal_basis"])
async def test_without_purpose_or_basis_nothing_is_shared(hub: Hub, missing: str):
    asked = question(P3, **{missing: ""})
    with pytest.raises(OutsideError) as refused:
        await hub.port.marriage(asked)
    assert (refused.value.code, refused.value.permanent) == ("HTTP_422", True)
    assert asked.request_no not in {each["request_no"] for each in await hub.questions()}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 503}, "HTTP_503"),
        ({"kind": "status", "status": 429}, "HTTP_429"),
        ({"kind": "drop"}, "UNREACHABLE"),
        ({"kind": "drop", "after": True}, "UNREACHABLE"),
        ({"kind": "delay", "seconds": 2}, "TIMEOUT"),
        ({"kind": "wrong_signature"}, "BAD_ANSWER"),
    ],
)
async def test_each_department_fails_by_itself(hub: Hub, fault: dict[str, Any], code: str):
    await hub.fault("departments.marriage", **fault)
    assert (await hub.port.household(question(P3))).result is Result.FOUND
    hub.http._timeout = 0.5 if code == "TIMEOUT" else 60
    with pytest.raises(OutsideError) as down:
        await hub.port.marriage(question(P3))
    assert (down.value.code, down.value.permanent) == (code, False)
    hub.http._timeout = 60
    assert (await hub.port.marriage(question(P3))).result is Result.FOUND


async def test_the_connection_is_tried_without_asking_about_anybody(hub: Hub, keys: Path):
    before = len(await hub.questions())
    await hub.port.check_connection()
    assert hub.port.check_config() == []
    await hub.fault("departments.status", "wrong_signature")
    with pytest.raises(OutsideError):
        await hub.port.check_connection()
    assert len(await hub.questions()) == before
    stranger = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    hub.port._signer = RequestSigner(CITY_KEY_ID, stranger)
    with pytest.raises(OutsideError, match="HTTP_401"):
        await hub.port.check_connection()


async def test_no_department_is_asked_inside_a_transaction(hub: Hub, db: object):
    @transactional
    async def held() -> None:
        await hub.port.marriage(question(P1))

    with pytest.raises(RuntimeError, match="transaction"):
        await held()


def pair() -> tuple[bytes, bytes]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Lying:
    """Signs whatever `says` makes of a question."""

    signer: RequestSigner
    says: Callable[[dict[str, Any]], Any]
    system: str = "departments"

    async def request(self, method: str, url: str, *, content: bytes, **_: Any) -> httpx.Response:
        body = orjson.dumps(self.says(orjson.loads(content)))
        return httpx.Response(
            200, content=body, headers=self.signer.headers(method, httpx.URL(url).path, body, now=NOON)
        )


def answer(asked: dict[str, Any], **changes: Any) -> dict[str, Any]:
    record = {"status": "unmarried", "registered_on": None, "spouse_name": None, "spouse_id_number_masked": None}
    said = {"request_no": asked["request_no"], "answer_no": "MZ1", "answered_at": "2026-03-16T12:00:00+08:00"}
    return {**said, "result": "found", "record": record, **changes}


async def told(says: Callable[[dict[str, Any]], Any]) -> Answer:
    private, public = pair()
    port = HubDepartments(
        cast("HttpClient", Lying(RequestSigner("hub", private), says)),
        base_url="https://hub.example/api",
        signer=RequestSigner("city", pair()[0]),
        verifier=RequestVerifier({"hub": public}),
        clock=FixedClock(NOON),
    )
    return await port.marriage(question(P4))


async def test_a_signed_answer_of_the_right_shape_is_taken():
    assert (await told(answer)).content == Marriage(MaritalStatus.UNMARRIED)


@pytest.mark.parametrize(
    ("changes", "theirs_alone"),
    [
        ({"request_no": "somebody else's"}, False),
        # What is wrong with one person's record says nothing of the source: three of them must not shut it for all.
        ({"result": "perhaps"}, True),
        ({"record": None}, True),
        ({"record": {"status": "happy"}}, True),
        ({"answered_at": "2026-03-16T12:00:00"}, True),
        ({"answer_no": ""}, True),
        ({"answer_no": "x" * 65}, True),
    ],
)
async def test_anothers_answer_or_one_of_no_shape_is_none(changes: dict[str, Any], *, theirs_alone: bool):
    with pytest.raises(OutsideError) as refused:
        await told(lambda asked: answer(asked, **changes))
    assert (refused.value.code, refused.value.permanent) == ("BAD_ANSWER", theirs_alone)
    assert "happy" not in str(refused.value)


async def test_an_address_that_is_no_fit_for_peoples_data():
    port = HubDepartments(
        cast("HttpClient", None),
        base_url="http://hub.example",
        signer=RequestSigner("city", pair()[0]),
        verifier=RequestVerifier({}),
        clock=FixedClock(NOON),
    )
    assert "not https" in port.check_config()[0]
