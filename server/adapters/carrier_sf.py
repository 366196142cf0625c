"""Tracking by SF's own interface: routes by waybill, asked for; it pushes nothing to us."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import orjson
from pydantic import Field

from kit.clock import Clock
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.hosts import address_flaws
from kit.ids import new_id
from server.adapters.carrier_wire import FORM, Wire, bad_answer, moment_of, post_form, read_part
from server.delivery.ports import Parcel
from server.delivery.rules import SF, Entry, Report
from server.delivery.states import ParcelState

SYSTEM = "sf"
_SERVICE = "EXP_RECE_SEARCH_ROUTES"
_TAKEN, _FOUND = "A1000", "S0000"
# Codes of the interface itself: True where repeating will not help before somebody changes something.
CODES: Mapping[str, bool] = {
    "A1001": True,
    "A1002": True,
    "A1003": True,
    "A1004": True,
    "A1005": False,
    "A1006": True,
    "A1007": False,
    "A1009": False,
    "A1011": True,
}
_NOBODYS = Parcel(SF, "SF0000000000", "0000")
_OPCODES = {"50": ParcelState.COLLECTED, "44": ParcelState.DELIVERING, "80": ParcelState.SIGNED}


class _Route(Wire):
    accept_time: str = Field(alias="acceptTime")
    accept_address: str = Field(default="", alias="acceptAddress")
    remark: str = ""
    op_code: str = Field(default="", alias="opCode")


class _Routes(Wire):
    mail_no: str = Field(alias="mailNo")
    routes: list[_Route] = Field(default=[], max_length=500)


class _Found(Wire):
    parcels: list[_Routes] = Field(default=[], alias="routeResps", max_length=10)


def digest(message: str, *, timestamp: str, check_word: str) -> str:
    """msgDigest: Base64 of MD5 over message, timestamp and check word, encoded as Java's URLEncoder does."""
    encoded = quote_plus(message + timestamp + check_word, safe="*").replace("~", "%7E")
    return base64.b64encode(hashlib.md5(encoded.encode(), usedforsecurity=False).digest()).decode()


class SfExpress:
    """Implements `delivery.ports.Carrier` by asking alone."""

    def __init__(self, http: HttpClient, *, url: str, partner_id: str, check_word: str, clock: Clock) -> None:
        self._http = http
        self._url = url
        self._partner_id = partner_id
        self._check_word = check_word
        self._clock = clock

    def check_config(self) -> list[str]:
        given = {"partner_id": self._partner_id, "check_word_file": self._check_word}
        empty = [f"carrier_sf.{name} is empty" for name, value in given.items() if not value.strip()]
        return address_flaws("SF's address", self._url) + empty

    async def check_connection(self) -> None:
        """A signed question for a number that no parcel has: whatever is said of it, our check word was taken."""
        _taken(await self._ask(_message(_NOBODYS)))

    async def subscribe(self, parcel: Parcel) -> bool:  # noqa: ARG002 - the port's
        """There is nothing to subscribe to: the parcel is asked for."""
        return False

    async def query(self, parcel: Parcel) -> Report | None:
        """The parcel's routes; SF wants the last four digits of a phone number of the waybill."""
        inner = _inner(_taken(await self._ask(_message(parcel))))
        found = read_part(SYSTEM, _Found, inner)
        mine = next((each for each in found.parcels if each.mail_no == parcel.waybill), None)
        return _report(mine) if mine is not None and mine.routes else None

    async def _ask(self, message: str) -> Any:
        timestamp = str(int(self._clock.now().timestamp() * 1000))
        form = {
            "partnerID": self._partner_id,
            "requestID": new_id(),
            "serviceCode": _SERVICE,
            "timestamp": timestamp,
            "msgData": message,
            "msgDigest": digest(message, timestamp=timestamp, check_word=self._check_word),
        }
        content = await post_form(self._http, SYSTEM, self._url, form, content_type=f"{FORM};charset=UTF-8")
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            raise bad_answer(SYSTEM, "no JSON") from None


def _message(parcel: Parcel) -> str:
    asked = {
        "language": "0",
        "trackingType": "1",
        "trackingNumber": [parcel.waybill],
        "methodType": "1",
        "checkPhoneNo": parcel.phone[-4:],
    }
    return orjson.dumps(asked).decode()


def _taken(outer: Any) -> object:
    """What the interface says within an answer, once it has taken our partner number and our signature."""
    try:
        code, inner = str(outer["apiResultCode"]), outer["apiResultData"]
    except (TypeError, KeyError):
        raise bad_answer(SYSTEM, "no answer of the documented form") from None
    if code != _TAKEN:
        raise OutsideError(SYSTEM, code[:16], "refused", permanent=CODES.get(code, False))
    return inner


def _inner(told: object) -> dict[str, Any]:
    """The answer within the answer, which is JSON as a text."""
    try:
        inner = orjson.loads(str(told))
        code, data = inner.get("errorCode"), inner.get("msgData")
    except (ValueError, AttributeError):
        raise bad_answer(SYSTEM, "no answer of the documented form") from None
    if code != _FOUND:
        raise OutsideError(SYSTEM, str(code)[:16], "refused", permanent=False)
    if not isinstance(data, dict):
        raise bad_answer(SYSTEM, "no answer of the documented form")
    return data


def _report(found: _Routes) -> Report:
    entries = tuple(
        Entry(
            at=moment_of(SYSTEM, route.accept_time),
            text=route.remark,
            raw_code=route.op_code,
            state=_OPCODES.get(route.op_code),
            location=route.accept_address,
        )
        for route in found.routes
    )
    newest = max(found.routes, key=lambda route: route.accept_time)
    # A scan without a meaning of its own, such as at a sorting centre, says that the parcel moves.
    state = _OPCODES.get(newest.op_code, ParcelState.TRANSIT)
    return Report(carrier=SF, waybill=found.mail_no, raw_state=newest.op_code, entries=entries, state=state)
