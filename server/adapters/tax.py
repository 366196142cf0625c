"""The tax bureau over its signed interface: declarations out, the notice that all is cleared in."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from sanic import Blueprint

from kit.clock import Clock
from kit.errors import OutsideError, Permanent
from kit.http import HttpClient
from kit.http.hosts import address_flaws
from kit.http.signing import BadSignature, RequestSigner, RequestVerifier
from kit.inbox import Inbox
from kit.inbox.gathering import LONGEST_EXTERNAL_ID
from kit.log import get_logger
from kit.web.access import callback
from kit.web.edge import Call, Edge
from kit.web.errors import CallbackSignatureWrong
from kit.web.routes import Routes
from kit.web.validation import Answer
from server.applications.events import TaxNoticeArrived
from server.applications.ports import Assessment, Declaration, TaxLine, TaxNotice
from server.journeys.house import House

SYSTEM = "tax"
NOTICE_PATH = "/callbacks/tax"
_NO_SUCH_QUESTION = frozenset({404, 405})
log = get_logger("tax")


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Tax(_Wire):
    tax: str
    payer: str
    amount_fen: int


class _Assessed(_Wire):
    declaration_no: str
    accepted_at: datetime
    taxes: list[_Tax]


class _Cleared(_Wire):
    event_id: str
    declaration_no: str
    case_no: str
    status: str
    cleared_at: datetime
    certificate_no: str
    taxes: list[_Tax]


class SignedTaxBureau:
    """Implements `applications.ports.TaxBureau` against the bureau's interface."""

    def __init__(
        self,
        http: HttpClient,
        *,
        base_url: str,
        notice_url: str,
        signer: RequestSigner,
        verifier: RequestVerifier,
        clock: Clock,
    ) -> None:
        self._http = http
        self._url = f"{base_url}/v1/declarations"
        self._status_url = f"{base_url}/v1/status"
        self._notice_url = notice_url
        self._signer = signer
        self._verifier = verifier
        self._clock = clock

    def check_config(self) -> list[str]:
        return [
            *address_flaws("the bureau's address", self._url),
            *address_flaws("our callback's address", self._notice_url),
        ]

    async def check_connection(self) -> str | None:
        """The bureau takes our signature and answers with its own; nothing is declared.

        Says what is not proven where a bureau has no such question.
        """
        path = urlsplit(self._status_url).path
        headers = self._signer.headers("GET", path, b"", now=self._clock.now())
        answer = await self._http.request("GET", self._status_url, headers=headers)
        if answer.status_code in _NO_SUCH_QUESTION:
            return "it answers; whether it takes our key only a real declaration shows"
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own number
            raise OutsideError(SYSTEM, f"HTTP_{answer.status_code}", "status refused", permanent=False)
        try:
            self._verifier.check("GET", path, dict(answer.headers), answer.content, now=self._clock.now())
        except BadSignature as error:
            raise OutsideError(SYSTEM, "BAD_ANSWER", str(error), permanent=False) from None
        return None

    async def declare(self, declaration: Declaration) -> Assessment:
        """Declare; a number declared before gets the same answer, so repeating after a crash is harmless."""
        body = orjson.dumps(_declared(declaration, self._notice_url))
        path = urlsplit(self._url).path
        headers = self._signer.headers("POST", path, body, now=self._clock.now())
        answer = await self._http.request(
            "POST", self._url, content=body, headers={"Content-Type": "application/json", **headers}
        )
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own number
            permanent = 400 <= answer.status_code < 500 and answer.status_code != 429  # noqa: PLR2004 - HTTP's own numbers
            raise OutsideError(SYSTEM, f"HTTP_{answer.status_code}", "declaration refused", permanent=permanent)
        try:
            self._verifier.check("POST", path, dict(answer.headers), answer.content, now=self._clock.now())
            assessed = _Assessed.model_validate_json(answer.content)
        except (BadSignature, ValidationError) as error:
            raise OutsideError(SYSTEM, "BAD_ANSWER", type(error).__name__, permanent=False) from None
        # Its signature does not say to what it answers: another sale's assessment would clear this one with that one.
        if assessed.declaration_no != declaration.declaration_no:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "the assessment of another declaration", permanent=False)
        return Assessment(assessed.declaration_no, assessed.accepted_at, _lines(assessed.taxes))

    def read_notice(self, body: bytes) -> TaxNotice:
        """What a verified notice says; Permanent when it is no clearance."""
        try:
            notice = _Cleared.model_validate_json(body)
        except ValidationError:
            raise Permanent("tax notice cannot be read") from None
        if notice.status != "cleared":
            raise Permanent("tax notice is no clearance")
        return TaxNotice(
            event_id=notice.event_id,
            declaration_no=notice.declaration_no,
            case_number=notice.case_no,
            cleared_at=notice.cleared_at,
            certificate_no=notice.certificate_no,
            taxes=_lines(notice.taxes),
        )


def _lines(taxes: list[_Tax]) -> list[TaxLine]:
    return [TaxLine(line.tax, line.payer, line.amount_fen) for line in taxes]


def _declared(declaration: Declaration, notice_url: str) -> dict[str, Any]:
    return {
        "declaration_no": declaration.declaration_no,
        "case_no": declaration.case_number,
        "unit_code": declaration.unit_code,
        "area_centiare": declaration.area_centiare,
        "price_fen": declaration.price_fen,
        "held_since": declaration.held_since.isoformat(),
        "sole_home_over_five_years": declaration.sole_home_over_five_years,
        "usage": declaration.usage,
        "sellers": [{"name": one.name, "id_number": one.id_number} for one in declaration.sellers],
        "buyers": [{"name": one.name, "id_number": one.id_number} for one in declaration.buyers],
        "notify_url": notice_url,
    }


def _event_id(body: bytes) -> str:
    """The bureau's own id of the notice, whole: two ids cut to one would make two notices the same."""
    event_id = str(orjson.loads(body)["event_id"])
    if not 1 <= len(event_id) <= LONGEST_EXTERNAL_ID:
        raise ValueError("an event id has 1 to 128 characters")
    return event_id


class Received(Answer):
    received: bool
    duplicate: bool


def blueprint(house: House, edge: Edge, verifier: RequestVerifier | None) -> Blueprint:
    """The bureau's callback; without its key there is no route."""
    routes = Routes("tax_callback", NOTICE_PATH, edge)
    if verifier is None:
        return routes.blueprint
    inbox = Inbox(house.outbox, house.cipher, house.clock)

    @routes.post(
        "",
        access=callback(SYSTEM),
        keyed=False,
        summary="The tax bureau: all is cleared",
        answer=Received,
        errors=(CallbackSignatureWrong,),
    )
    async def tax_notice(call: Call[None]) -> Received:
        request = call.request
        try:
            verifier.check("POST", NOTICE_PATH, dict(request.headers), request.body, now=house.clock.now())
            event_id = _event_id(request.body)
        except (BadSignature, KeyError, TypeError, ValueError) as error:
            log.warning("notice_refused", error=type(error).__name__)
            raise CallbackSignatureWrong from None
        new = await inbox.receive(
            system=SYSTEM,
            external_id=event_id,
            body=request.body,
            announce=lambda inbox_id: TaxNoticeArrived(inbox_id, event_id[:64]),
        )
        return Received(received=True, duplicate=not new)

    return routes.blueprint
