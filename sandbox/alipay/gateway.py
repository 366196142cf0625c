"""/alipay/gateway.do: who calls, which interface, what is signed and encrypted both ways."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from sanic import Request

from sandbox.alipay.refusals import MESSAGES, Declined, refusal, turned_away
from sandbox.alipay.stranger import strangers_key
from sandbox.answers import Answer, compact
from sandbox.clock import BEIJING, Clock
from sandbox.credentials import Keys
from sandbox.faults import Fault
from sandbox.signing import alipay_content, cbc_decrypt, cbc_encrypt, rsa_sign, rsa_verifies

WINDOW_SECONDS = 600
MEDIA_TYPE = "text/html;charset=utf-8"  # what the real gateway says of its JSON
_ERROR = "error_response"
_CHARSETS = {"utf-8", "gbk", "gb2312", "gb18030"}
_REQUIRED = {
    "method": "isv.missing-method",
    "app_id": "isv.missing-app-id",
    "sign_type": "isv.missing-signature-type",
    "sign": "isv.missing-signature",
    "timestamp": "isv.missing-timestamp",
    "version": "isv.missing-version",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One verified call; `biz` is the decrypted biz_content, `base_url` where the caller reached us."""

    method: str
    params: Mapping[str, str]
    biz: dict[str, Any]
    base_url: str


@dataclass(frozen=True, slots=True)
class Interface:
    """`bare` answers carry no `code` when all is well."""

    target: str
    handle: Callable[[Call], dict[str, Any]]
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """An interface that phones open as a signed address; `show` gives its HTML."""

    target: str
    show: Callable[[Call], bytes]


class Gateway:
    def __init__(
        self, *, keys: Keys, clock: Clock, interfaces: Mapping[str, Interface], pages: Mapping[str, Page]
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._interfaces = interfaces
        self._pages = pages

    def target(self, request: Request) -> str:
        """Where faults may strike this call."""
        method = _params(request).get("method", "")
        known = self._interfaces.get(method) or self._pages.get(method)
        return known.target if known else "alipay.gateway"

    def serve(self, request: Request) -> Answer:
        """The answer in clear; `envelope` signs it."""
        call = self.opened(_params(request), f"{request.scheme}://{request.host}")
        method = call.method
        interface = self._interfaces.get(method)
        try:
            if interface is None:
                page = self._pages.get(method) if request.method == "GET" else None
                if page is None:
                    raise turned_away("40002", "isv.invalid-method", "不存在的方法名")
                return Answer(200, None, page.show(call), MEDIA_TYPE)
            answered = interface.handle(call)
        except Declined as declined:
            return Answer(200, {_node(method): declined.body})
        success = {} if interface.bare else {"code": "10000", "msg": MESSAGES["10000"]}
        return Answer(200, {_node(method): success | answered})

    def opened(self, params: dict[str, str], base_url: str) -> Call:
        """The call once everything common to all interfaces holds; else the gateway's refusal."""
        self._check(params)
        return Call(params["method"], params, self._biz(params), base_url)

    def _check(self, params: Mapping[str, str]) -> None:
        for name, sub_code in _REQUIRED.items():
            if not params.get(name):
                raise turned_away("40001", sub_code)
        if params["app_id"] != self._keys.alipay_app_id:
            raise turned_away("40002", "isv.invalid-app-id", "无效的AppID参数")
        if params["sign_type"] != "RSA2":
            raise turned_away("40002", "isv.invalid-signature-type", "无效的签名类型")
        if params["version"] != "1.0":
            raise turned_away("40002", "isv.invalid-parameter", "version")
        if params.get("format", "JSON").upper() != "JSON":
            raise turned_away("40002", "isv.invalid-format", "无效的数据格式")
        if params.get("charset", "gbk").lower() not in _CHARSETS:
            raise turned_away("40002", "isv.invalid-charset", "字符集错误")
        self._check_timestamp(params["timestamp"])
        content = _in_charset(alipay_content(params), params)
        if not rsa_verifies(self._keys.alipay_app_public, content, params["sign"]):
            raise turned_away("40002", "isv.invalid-signature")

    def envelope(self, request: Request, answer: Answer, spoil: bool) -> Answer:  # noqa: FBT001 - the shape of every envelope
        """`{"..._response": object, "sign": over the object's bytes}`, encrypted when the caller was."""
        if answer.body is None:
            return answer
        if _ERROR in answer.body:
            return Answer(answer.status, None, answer.raw(), MEDIA_TYPE)
        ((node, body),) = answer.body.items()
        inner = compact(body)
        if _params(request).get("encrypt_type"):
            inner = compact(cbc_encrypt(self._keys.alipay_aes_key, inner))
        key = strangers_key() if spoil else self._keys.alipay_key
        content = b'{"%s":%s,"sign":"%s"}' % (node.encode(), inner, rsa_sign(key, inner).encode())
        return Answer(answer.status, None, content, MEDIA_TYPE)

    def made_up(self, request: Request, fault: Fault) -> Answer:
        """200: the interface answers with the fault's code; any other status: the gateway itself is down."""
        sub_code = str(fault.code or "aop.ACQ.SYSTEM_ERROR")
        prefix = sub_code.partition(".")[0]
        code = {"aop": "20000", "isp": "20000", "isv": "40002"}.get(prefix, "40004")
        method = _params(request).get("method", "")
        node = _node(method) if fault.status == 200 and method in self._interfaces else _ERROR
        return Answer(fault.status, {node: refusal(code, sub_code)})

    def _check_timestamp(self, text: str) -> None:
        try:
            moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        except ValueError:
            raise turned_away("40002", "isv.invalid-timestamp", "非法的时间戳参数") from None
        if abs(moment - self._clock.now()) > timedelta(seconds=WINDOW_SECONDS):
            raise turned_away("40002", "isv.invalid-timestamp", "非法的时间戳参数")

    def _biz(self, params: Mapping[str, str]) -> dict[str, Any]:
        text = params.get("biz_content", "")
        encrypted = params.get("encrypt_type")
        if encrypted not in {None, "", "AES"}:
            raise turned_away("40002", "isv.invalid-encrypt-type", "无效的加密类型")
        if not text:
            return {}
        try:
            raw = cbc_decrypt(self._keys.alipay_aes_key, text) if encrypted else text
            biz = json.loads(raw)
        except ValueError:
            wrong = "isv.invalid-encrypt" if encrypted else "isv.invalid-parameter"
            raise turned_away("40002", wrong, "biz_content") from None
        if not isinstance(biz, dict):
            raise turned_away("40002", "isv.invalid-parameter", "biz_content")
        return biz


def params_of_url(query: str) -> dict[str, str]:
    """The parameters of a signed address, decoded once."""
    return dict(parse_qsl(query, keep_blank_values=True))


def _params(request: Request) -> dict[str, str]:
    """Query string and form together, in the charset that the query names."""
    named = params_of_url(request.query_string).get("charset", "utf-8").lower()
    charset = named if named in _CHARSETS else "utf-8"
    query = dict(parse_qsl(request.query_string, keep_blank_values=True, encoding=charset, errors="replace"))
    body = request.body.decode("ascii", "replace")
    return query | dict(parse_qsl(body, keep_blank_values=True, encoding=charset, errors="replace"))


def _in_charset(content: bytes, params: Mapping[str, str]) -> bytes:
    charset = params.get("charset", "gbk").lower()
    return content if charset == "utf-8" else content.decode().encode(charset, "replace")


def _node(method: str) -> str:
    return method.replace(".", "_") + "_response"
