"""Tracking by kuaidi100: subscription, query, and the pushes it sends; EMS is its company `ems`.

Its signatures are MD5, which is its choice and not ours: an MD5 with the secret at the end is no proof against whoever
can choose what is signed. What it protects is a timeline, and a push can change nothing else.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from sanic import Blueprint

from kit.errors import OutsideError
from kit.http import HttpClient
from kit.http.hosts import address_flaws
from kit.inbox import Inbox
from kit.log import get_logger
from kit.web.access import callback
from kit.web.edge import Call, Edge
from kit.web.errors import CallbackSignatureWrong
from kit.web.routes import Routes
from kit.web.validation import Answer
from server.adapters.carrier_kuaidi100_answers import SYSTEM, Said, Tracked, read_push, report_of, waybill_in
from server.adapters.carrier_wire import bad_answer, post_form, read_part
from server.delivery.events import CarrierPushArrived
from server.delivery.ports import Needs, Parcel, Push, Pushes
from server.delivery.rules import EMS, SF, Report

PUSH_PATH = "/callbacks/carrier"
_OK, _DUPLICATE = "200", "501"
_NOTHING_YET = "500"
_NOBODYS = Parcel(EMS, "EK000000000CN", "")
"""Its check digit is wrong, so that no parcel ever has this number."""
_PHONE_WANTED = frozenset((SF, "zhongtong"))
"""Carriers that answer only to who knows the receiver's number; nobody else is told it."""
# Documented refusals of the two interfaces. True: repeating will not help before somebody changes something.
SUBSCRIBE_CODES: Mapping[str, bool] = {
    "500": False,
    "502": False,
    "600": True,
    "601": True,
    "700": True,
    "701": True,
    "702": True,
}
QUERY_CODES: Mapping[str, bool] = {
    "400": True,
    "408": True,
    "501": False,
    "502": False,
    "503": True,
    "601": True,
}
log = get_logger("carrier")


def query_sign(param: str, *, key: str, customer: str) -> str:
    """MD5 over param, key and customer, in upper case."""
    return _md5(param + key + customer)


def push_sign(param: str, *, salt: str) -> str:
    """MD5 over a push's param and the salt given at the subscription, in upper case."""
    return _md5(param + salt)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


class Kuaidi100:
    """Implements `delivery.ports.Carrier`."""

    def __init__(
        self, http: HttpClient, *, base_url: str, customer: str, key: str, salt: str, callback_url: str
    ) -> None:
        self._http = http
        self._base = base_url
        self._customer = customer
        self._key = key
        self._salt = salt
        self._callback_url = callback_url

    def check_config(self) -> list[str]:
        flaws = address_flaws("the tracking provider's address", self._base)
        flaws += address_flaws("our callback's address", self._callback_url)
        given = {"customer": self._customer, "key_file": self._key, "salt_file": self._salt}
        return flaws + [f"carrier.{name} is empty" for name, value in given.items() if not value.strip()]

    async def check_connection(self) -> None:
        """A signed question for a number that no parcel has: whoever takes customer and key finds nothing."""
        await self.query(_NOBODYS)

    async def subscribe(self, parcel: Parcel) -> bool:
        """A waybill subscribed before is answered 501, which is as good. The callback's address carries no secret."""
        parameters = {"callbackurl": self._callback_url, "salt": self._salt, "resultv2": "4", "autoCom": "0"}
        if parcel.carrier in _PHONE_WANTED:
            parameters["phone"] = parcel.phone
        param = {"company": parcel.carrier, "number": parcel.waybill, "key": self._key, "parameters": parameters}
        answer = await self._post("/poll", {"schema": "json", "param": orjson.dumps(param).decode()})
        code = read_part(SYSTEM, Said, answer).code
        if code not in {_OK, _DUPLICATE}:
            raise _refused(code, SUBSCRIBE_CODES)
        return True

    async def query(self, parcel: Parcel) -> Report | None:
        """The full list of today; None while the provider has nothing of this waybill."""
        asked = {"com": parcel.carrier, "num": parcel.waybill, "resultv2": "4", "show": "0", "order": "desc"}
        if parcel.carrier in _PHONE_WANTED:
            asked["phone"] = parcel.phone
        param = orjson.dumps(asked).decode()
        sign = query_sign(param, key=self._key, customer=self._customer)
        answer = await self._post("/poll/query.do", {"customer": self._customer, "sign": sign, "param": param})
        if isinstance(answer, dict) and str(answer.get("status")) == _OK:
            tracked = read_part(SYSTEM, Tracked, answer)
            if tracked.nu != parcel.waybill:
                raise bad_answer(SYSTEM, "another waybill's list")
            return report_of(tracked)
        code = read_part(SYSTEM, Said, answer).code
        if code == _NOTHING_YET:
            return None
        raise _refused(code, QUERY_CODES)

    async def _post(self, path: str, form: Mapping[str, str]) -> Any:
        content = await post_form(self._http, SYSTEM, self._base + path, form)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            raise bad_answer(SYSTEM, "no JSON") from None


class Kuaidi100Pushes:
    """Implements `delivery.ports.Pushes`."""

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def open(self, raw_body: bytes) -> Push:
        """The form's `param`, whose `sign` fits; it is kept as it came, and read later."""
        try:
            fields = parse_qsl(raw_body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
        except ValueError:
            raise _push_refused("form") from None
        form = dict(fields)
        if len(form) != len(fields) or not {"sign", "param"} <= form.keys():
            raise _push_refused("fields")
        expected = push_sign(form["param"], salt=self._salt)
        # Documents show the sign in both cases.
        if not hmac.compare_digest(expected.encode(), form["sign"].upper().encode()):
            raise _push_refused("sign")
        body = form["param"].encode()
        return Push(id=hashlib.sha256(body).hexdigest(), waybill=waybill_in(body), body=body)

    def read(self, body: bytes) -> Report:
        """A full list, with what became of the watching and whether the company was mistaken."""
        return read_push(body)


def _refused(code: str, known: Mapping[str, bool]) -> OutsideError:
    if code not in known:
        log.warning("unknown_code", error_code=code[:16])
    return OutsideError(SYSTEM, f"CODE_{code[:16] or 'NONE'}", "refused", permanent=known.get(code, False))


def _push_refused(why: str) -> CallbackSignatureWrong:
    log.warning("push_refused", reason=why)
    # Their own shape of a failure, within ours.
    return CallbackSignatureWrong(extra={"result": False, "returnCode": "500", "message": "签名无效"})


class PushTaken(Answer):
    """What stops the provider from sending again."""

    result: bool = True
    returnCode: str = _OK  # noqa: N815 - the provider's own spelling
    message: str = "成功"


def blueprint(needs: Needs, edge: Edge) -> Blueprint:
    """POST /callbacks/carrier; no route at all while the provider's secrets are not set."""
    routes = Routes("carrier_callback", PUSH_PATH, edge)
    if needs.pushes is not None:
        _callback(routes, needs, needs.pushes)
    return routes.blueprint


def _callback(routes: Routes, needs: Needs, pushes: Pushes) -> None:
    inbox = Inbox(needs.outbox, needs.cipher, needs.clock)

    @routes.post(
        "",
        access=callback(SYSTEM),
        keyed=False,
        summary="The tracking provider: where a parcel is. Verified, kept once, acknowledged, worked on later",
        answer=PushTaken,
        errors=(CallbackSignatureWrong,),
    )
    async def carrier_push(call: Call[None]) -> PushTaken:
        push = pushes.open(call.request.body)
        digest = hashlib.sha256(push.waybill.encode()).hexdigest()
        await inbox.receive(
            system=SYSTEM,
            external_id=push.id,
            body=push.body,
            announce=lambda inbox_id: CarrierPushArrived(inbox_id, digest),
        )
        return PushTaken()
