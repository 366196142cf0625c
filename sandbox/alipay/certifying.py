"""alipay.user.certify.open.initialize, the page of .certify, and .query.

For an unknown or expired certify_id this side answers CERTIFY_ID_EXPIRED; a caller should take nothing but passed "T"
for passed.
"""

import html
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.alipay.gateway import Call
from sandbox.alipay.refusals import failed
from sandbox.clock import Clock
from sandbox.people import People, Person

EXPIRES_IN_SECONDS = 23 * 3600
BIZ_CODES = {"FACE", "SMART_FACE", "CERT_PHOTO", "CERT_PHOTO_FACE"}
PAGE_METHOD = "alipay.user.certify.open.certify"
# What `startBizService` ends with.
RESULTS = {"pass": "9000", "fail": "4000", "cancel": "6001", "network": "6002"}
_ORDER_NO = re.compile(r"[0-9A-Za-z]{1,32}")
_NOT_DONE, _DIFFERS, _CANCELLED = "认证未完成", "人脸比对不通过", "用户取消认证"


@dataclass(slots=True)
class _Check:
    cert_name: str
    cert_no: str
    expires_at: int
    passed: bool = False
    fail_reason: str = _NOT_DONE


class Certifying:
    def __init__(self, *, clock: Clock, people: People) -> None:
        self._clock = clock
        self._people = people
        self._checks: dict[str, _Check] = {}
        self._order_nos: set[str] = set()

    def initialize(self, call: Call) -> dict[str, Any]:
        number, identity, config = (
            call.biz.get(name) for name in ("outer_order_no", "identity_param", "merchant_config")
        )
        if not isinstance(number, str) or not _ORDER_NO.fullmatch(number) or number in self._order_nos:
            raise _invalid("outer_order_no")
        if call.biz.get("biz_code") not in BIZ_CODES:
            raise _invalid("biz_code")
        if not isinstance(identity, dict) or not _complete(identity):
            raise _invalid("identity_param")
        if not isinstance(config, dict) or not config.get("return_url"):
            raise _invalid("merchant_config")
        self._order_nos.add(number)
        certify_id = secrets.token_hex(16)
        expires_at = self._clock.timestamp() + EXPIRES_IN_SECONDS
        self._checks[certify_id] = _Check(identity["cert_name"], identity["cert_no"], expires_at)
        return {"certify_id": certify_id}

    def page(self, call: Call) -> bytes:
        """What the phone opens; the name is shown with its first character hidden."""
        check = self._alive(call.biz)
        shown = html.escape("*" + check.cert_name[1:])
        return f"<!doctype html><meta charset=utf-8><title>身份认证</title><h1>{shown}，请完成身份认证</h1>".encode()

    def query(self, call: Call) -> dict[str, Any]:
        check = self._alive(call.biz)
        return {"passed": "T"} if check.passed else {"passed": "F", "fail_reason": check.fail_reason}

    def perform(self, call: Call, *, person: Person, outcome: str) -> str | None:
        """The person does what the page asks: the resultStatus, or None when there is no such check to do."""
        check = self._checks.get(str(call.biz.get("certify_id")))
        if check is None or check.expires_at <= self._clock.timestamp() or check.passed:
            return None
        if outcome == "pass":
            check.passed = self._is(check, person)
            check.fail_reason = "" if check.passed else _DIFFERS
            return RESULTS["pass" if check.passed else "fail"]
        check.fail_reason = {"fail": _DIFFERS, "cancel": _CANCELLED}.get(outcome, _NOT_DONE)
        return RESULTS[outcome]

    def _is(self, check: _Check, person: Person) -> bool:
        known = self._people.by_document(name=check.cert_name, id_number=check.cert_no)
        return known == person and person.alive

    def _alive(self, biz: dict[str, Any]) -> _Check:
        check = self._checks.get(str(biz.get("certify_id")))
        if check is None or check.expires_at <= self._clock.timestamp():
            raise failed("CERTIFY_ID_EXPIRED", "认证单据不存在或已过期")
        return check


def _complete(identity: dict[str, Any]) -> bool:
    fixed = {"identity_type": "CERT_INFO", "cert_type": "IDENTITY_CARD"}
    named = ("cert_name", "cert_no")
    if any(identity.get(name) != value for name, value in fixed.items()):
        return False
    return all(isinstance(identity.get(name), str) and identity[name] for name in named)


def _invalid(field: str) -> Exception:
    return failed("INVALID_PARAMETER", f"参数有误：{field}")
