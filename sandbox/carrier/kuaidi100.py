"""kuaidi100: POST /poll (subscription), POST /poll/query.do (query), and its pushes of the full list."""

import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

from sanic import Request

from sandbox.addresses import may_be_called
from sandbox.answers import Answer, Refused
from sandbox.carrier.parcels import Parcel, Parcels, Scan
from sandbox.credentials import Keys
from sandbox.deliveries import Courier, Delivery, Forgery, Receipt

TARGET = "carrier.notify"
SCHEDULE = (1800, 1800, 1800)
"""Seconds between attempts: three more after half an hour each."""
COMPANIES = frozenset({"ems", "youzhengguonei", "shunfeng", "zhongtong"})
_PHONE_WANTED = frozenset({"shunfeng", "zhongtong"})
_NAMES = {
    "0": "在途",
    "1": "揽收",
    "2": "疑难",
    "3": "签收",
    "4": "退签",
    "5": "派件",
    "6": "退回",
    "8": "清关",
    "14": "拒签",
}


class Kuaidi100:
    def __init__(self, *, keys: Keys, parcels: Parcels, courier: Courier) -> None:
        self._keys = keys
        self._parcels = parcels
        self._courier = courier

    def subscribe(self, request: Request) -> Answer:
        """200 for a new waybill, 501 for one subscribed before; the current list is pushed where there is one."""
        form = _form(request)
        param = _object(form.get("param", ""))
        if form.get("schema") != "json" or param is None:
            raise _refused("701", "订阅方的订阅数据存在错误")
        if param.get("key") != self._keys.carrier_key:
            raise _refused("600", "您不是合法的订阅者（即授权Key出错）")
        company, number, more = self._asked(param)
        known = self._parcels.get(number)
        if known is not None and known.callback_url:
            raise _refused("501", "重复订阅（请格外注意，501表示这张单已经订阅成功且目前还在跟踪过程中）")
        parcel = self._parcels.change(
            number, company=company, callback_url=more["callbackurl"], salt=str(more.get("salt") or "")
        )
        if parcel.scans:
            self.push(parcel)
        return Answer(200, {"result": True, "returnCode": "200", "message": "提交成功"})

    def query(self, request: Request) -> Answer:
        """The list of today, signed for with MD5 over param, key and customer."""
        form = _form(request)
        param = form.get("param", "")
        wanted = _md5(param + self._keys.carrier_key + self._keys.carrier_customer)
        if form.get("customer") != self._keys.carrier_customer or form.get("sign") != wanted:
            raise _refused("503", "验证签名失败")
        asked = _object(param)
        if asked is None or asked.get("com") not in COMPANIES or not asked.get("num"):
            raise _refused("400", "提交的数据不完整，或者贵公司没授权")
        if asked["com"] in _PHONE_WANTED and not asked.get("phone"):
            raise _refused("408", "验证码错误")
        parcel = self._parcels.get(asked["num"])
        if parcel is None or not parcel.scans or parcel.company != asked["com"]:
            raise _refused("500", "查询无结果，请隔段时间再查")
        self._parcels.change(parcel.waybill, queries=parcel.queries + 1)
        return Answer(200, {"message": "ok", "status": "200", "condition": "F00", **_result(parcel)})

    def push(self, parcel: Parcel) -> None:
        """Tell the subscriber, again and again until it says success; nothing without a subscription."""
        if parcel.callback_url:
            self._courier.dispatch(self._delivery(parcel, param_of(parcel)), SCHEDULE)

    def resume(self) -> None:
        """Start over with what a restart left unacknowledged."""
        for parcel in self._parcels.all():
            if not parcel.told:
                self.push(parcel)

    async def send_extra(self, parcel: Parcel, param: str, forgery: Forgery) -> Receipt:
        """One push more, honest or not, without repetition."""
        return await self._courier.send(self._delivery(parcel, param), forgery)

    def _asked(self, param: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        company, number, more = param.get("company"), param.get("number"), param.get("parameters")
        if company not in COMPANIES:
            raise _refused("700", "不支持的快递公司")
        if not isinstance(number, str) or not 6 <= len(number) <= 32 or not isinstance(more, dict):
            raise _refused("701", "订阅方的订阅数据存在错误")
        if not may_be_called(str(more.get("callbackurl") or "")):
            raise _refused("701", "订阅方的订阅数据存在错误：callbackurl")
        if company in _PHONE_WANTED and not more.get("phone"):
            raise _refused("701", "订阅方的订阅数据存在错误：phone")
        return company, number, more

    def _delivery(self, parcel: Parcel, param: str) -> Delivery:
        def compose(forgery: Forgery) -> bytes:
            salt = secrets.token_hex(8) if forgery.wrong_key else parcel.salt
            return urlencode({"sign": _md5(param + salt), "param": param}).encode()

        return Delivery(
            target=TARGET,
            subject=parcel.waybill,
            url=parcel.callback_url,
            body=b"",
            sign=lambda *_: {"Content-Type": "application/x-www-form-urlencoded"},
            accepts=lambda status: status == 200,
            accepts_body=_is_success,
            compose=compose,
            on_accepted=lambda: self._told(parcel),
        )

    def _told(self, parcel: Parcel) -> None:
        now = self._parcels.get(parcel.waybill)
        if now is not None and now.scans == parcel.scans:
            self._parcels.change(parcel.waybill, told=True)


def param_of(parcel: Parcel, *, only: int | None = None) -> str:
    """The `param` of a push; `only` the first so many lines, as it was pushed before."""
    scans = parcel.scans if only is None else parcel.scans[:only]
    status = parcel.status if only is None else "polling"
    corrected = bool(parcel.company_before)
    return json.dumps(
        {
            "status": status,
            "billstatus": "got",
            "message": "",
            "autoCheck": "1" if corrected else "0",
            "comOld": parcel.company_before,
            "comNew": parcel.company if corrected else "",
            "lastResult": {"message": "ok", "status": "200", **_result(parcel, scans)},
        },
        ensure_ascii=False,
    )


def _result(parcel: Parcel, scans: tuple[Scan, ...] | None = None) -> dict[str, Any]:
    listed = parcel.scans if scans is None else scans
    state = listed[-1].code if listed else "0"
    return {
        "state": state,
        "ischeck": "1" if state.startswith("3") else "0",
        "com": parcel.company,
        "nu": parcel.waybill,
        "data": [_line(scan) for scan in reversed(listed)],
    }


def _line(scan: Scan) -> dict[str, Any]:
    return {
        "time": scan.at,
        "ftime": scan.at,
        "context": scan.text,
        "areaName": scan.area,
        "status": _NAMES[_plain(scan.code)],
        "statusCode": scan.code,
    }


def _plain(code: str) -> str:
    """The state that an advanced one refines: 103 is a 1, 1002 a 0, 11 an 8 (customs)."""
    if code in _NAMES:
        return code
    return {2: "8", 4: "0"}.get(len(code), code[:1])


def _is_success(body: str) -> bool:
    answer = _object(body)
    return answer is not None and answer.get("result") is True


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _refused(code: str, message: str) -> Refused:
    """Their refusals are answers of HTTP 200."""
    return Refused(200, {"result": False, "returnCode": code, "message": message})
