"""The city's data-sharing hub: the departments' answers over our signed HTTP, each source under its own path."""

import hashlib
from datetime import date
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kit.clock import Clock
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.hosts import address_flaws
from kit.http.signing import BadSignature, RequestSigner, RequestVerifier
from server.sharing.ports import Answer, Question
from server.sharing.rules import Result
from server.terms.evidence import Content, Household, MaritalStatus, Marriage, Member, Relation

SYSTEM = "departments"
MARRIAGE, HOUSEHOLD, STATUS = "/v1/lookup/marriage", "/v1/identity/household", "/v1/status"
# No more than the purpose needs; the hub sends nothing that was not asked for.
MARRIAGE_FIELDS = ("status", "registered_on", "spouse_name", "spouse_id_number_masked")
HOUSEHOLD_FIELDS = ("name", "relation", "minor")
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Marriage(_Wire):
    status: MaritalStatus
    registered_on: date | None = None
    spouse_name: Name | None = None
    spouse_id_number_masked: Annotated[str, Field(max_length=32)] | None = None

    def content(self) -> Marriage:
        return Marriage(self.status, self.registered_on, self.spouse_name, self.spouse_id_number_masked)


class _Member(_Wire):
    name: Name
    relation: Relation
    minor: bool


class _Household(_Wire):
    members: Annotated[list[_Member], Field(min_length=1, max_length=30)]

    def content(self) -> Household:
        return Household(tuple(Member(each.name, each.relation, each.minor) for each in self.members))


class _Answered(_Wire):
    request_no: str
    answer_no: Annotated[str, Field(min_length=1, max_length=64)]
    answered_at: AwareDatetime
    result: Literal["found", "not_found", "mismatch"]
    record: dict[str, Any] | None = None


R = TypeVar("R", _Marriage, _Household)


class HubDepartments:
    """Implements `sharing.ports.IdentityVerification` and `InformationLookup` against the hub."""

    def __init__(
        self, http: HttpClient, *, base_url: str, signer: RequestSigner, verifier: RequestVerifier, clock: Clock
    ) -> None:
        self._http, self._base_url = http, base_url
        self._signer, self._verifier, self._clock = signer, verifier, clock

    def check_config(self) -> list[str]:
        return address_flaws("the data-sharing hub's address", self._base_url)

    async def check_connection(self) -> None:
        """The hub takes our signature and answers with its own; nobody's data is asked for."""
        await self._call("GET", STATUS, b"")

    async def household(self, question: Question) -> Answer:
        """Who is registered in the person's household."""
        return await self._ask(HOUSEHOLD, question, HOUSEHOLD_FIELDS, _Household)

    async def marriage(self, question: Question) -> Answer:
        """The person's marriage."""
        return await self._ask(MARRIAGE, question, MARRIAGE_FIELDS, _Marriage)

    async def _ask(self, path: str, question: Question, fields: tuple[str, ...], form: type[R]) -> Answer:
        raw = await self._call("POST", path, orjson.dumps(_asked(question, fields)))
        try:
            answered = _Answered.model_validate_json(raw)
            content = _content(answered, form)
        except ValidationError as error:
            # Signed, so the department is there: what it says of one person must not shut it for everybody.
            raise OutsideError(SYSTEM, "BAD_ANSWER", type(error).__name__, permanent=True) from None
        # The signature does not say to what it answers: what is about another must not become evidence about this one.
        if answered.request_no != question.request_no:
            raise _bad_answer("the answer to another question")
        return Answer(
            result=Result(answered.result),
            answer_no=answered.answer_no,
            answered_at=answered.answered_at,
            content=content,
            digest=hashlib.sha256(raw).hexdigest(),
        )

    async def _call(self, method: str, path: str, body: bytes) -> bytes:
        """The raw answer, verified before a byte of it is read."""
        url = self._base_url + path
        signed_path = urlsplit(url).path
        headers = self._signer.headers(method, signed_path, body, now=self._clock.now())
        answer = await self._http.request(
            method, url, content=body, headers={"Content-Type": "application/json", **headers}
        )
        status = answer.status_code
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            # Our key or our clock can be put right without another question: 401 is not the question's fault.
            permanent = 400 <= status < 500 and status not in {401, 429}  # noqa: PLR2004 - HTTP's own numbers
            raise OutsideError(SYSTEM, f"HTTP_{status}", f"{path} was refused", permanent=permanent)
        try:
            self._verifier.check(method, signed_path, dict(answer.headers), answer.content, now=self._clock.now())
        except BadSignature as error:
            raise _bad_answer(str(error)) from None
        return answer.content


def _asked(question: Question, fields: tuple[str, ...]) -> dict[str, Any]:
    return {
        "request_no": question.request_no,
        "purpose": question.purpose,
        "legal_basis": question.legal_basis,
        "fields": fields,
        "subject": {"name": question.name, "id_number": question.id_number},
    }


def _content(answered: _Answered, form: type[R]) -> Content | None:
    if answered.result != "found":
        return None
    return form.model_validate_json(orjson.dumps(answered.record)).content()


def _bad_answer(why: str) -> OutsideError:
    return OutsideError(SYSTEM, "BAD_ANSWER", why, permanent=False)
