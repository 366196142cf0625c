"""SF's own interface, as far as tracking needs it: EXP_RECE_SEARCH_ROUTES."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, quote_plus

from sanic import Request

from sandbox.answers import Answer, Refused
from sandbox.carrier.parcels import Parcel, Parcels
from sandbox.credentials import Keys

_SERVICE = "EXP_RECE_SEARCH_ROUTES"


class Sf:
    def __init__(self, *, keys: Keys, parcels: Parcels) -> None:
        self._keys = keys
        self._parcels = parcels

    def service(self, request: Request) -> Answer:
        """A1000 with the routes as JSON within JSON; a waybill that nobody knows has none."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("partnerID") != self._keys.sf_partner_id:
            raise _refused("A1004", "无对应服务权限")
        message, timestamp = form.get("msgData", ""), form.get("timestamp", "")
        if form.get("msgDigest") != self._digest(message, timestamp):
            raise _refused("A1006", "数字签名无效")
        if form.get("serviceCode") != _SERVICE:
            raise _refused("A1003", "服务代码错误")
        numbers = json.loads(message).get("trackingNumber") or []
        found = [self._parcels.get(number) for number in numbers]
        inner = {
            "success": True,
            "errorCode": "S0000",
            "errorMsg": None,
            "msgData": {"routeResps": [_routes(number, each) for number, each in zip(numbers, found, strict=True)]},
        }
        return Answer(200, {"apiResultCode": "A1000", "apiErrorMsg": "", "apiResultData": json.dumps(inner)})

    def _digest(self, message: str, timestamp: str) -> str:
        encoded = quote_plus(message + timestamp + self._keys.sf_check_word, safe="*").replace("~", "%7E")
        return base64.b64encode(hashlib.md5(encoded.encode(), usedforsecurity=False).digest()).decode()


def _routes(number: str, parcel: Parcel | None) -> dict[str, Any]:
    scans = parcel.scans if parcel is not None and parcel.company == "shunfeng" else ()
    routes = [
        {"acceptTime": scan.at, "acceptAddress": scan.area, "remark": scan.text, "opCode": scan.opcode}
        for scan in scans
    ]
    return {"mailNo": number, "routes": routes}


def _refused(code: str, message: str) -> Refused:
    return Refused(200, {"apiResultCode": code, "apiErrorMsg": message, "apiResultData": None})
