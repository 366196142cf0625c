"""WeChat Pay's error codes in one spelling, and which of them will pass."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import httpx

from kit.errors import OutsideError
from kit.log import get_logger
from kit.wallets import disbelief
from kit.wallets.transport import json_object, may_pass

SYSTEM = "wechat_pay"


class Meaning(StrEnum):
    """Our word for what WeChat Pay refused."""

    UNAVAILABLE = "unavailable"  # its own trouble; what was asked may have happened: ask under the same number
    TOO_OFTEN = "too_often"
    PROCESSING = "processing"
    SIGNATURE_REFUSED = "signature_refused"  # our key, what was signed, or a clock that is off or has leapt
    PARAMETER_REFUSED = "parameter_refused"
    NOT_PERMITTED = "not_permitted"
    NOT_FOUND = "not_found"
    ORDER_PAID = "order_paid"
    ORDER_CLOSED = "order_closed"
    NUMBER_USED = "number_used"
    PAYER_REFUSED = "payer_refused"
    BALANCE_SHORT = "balance_short"
    RULE_REFUSED = "rule_refused"


TABLE: Mapping[str, Meaning] = MappingProxyType(
    {
        "ACCOUNT_ERROR": Meaning.PAYER_REFUSED,
        "ALREADY_EXISTS": Meaning.NUMBER_USED,
        "APPID_MCHID_NOT_MATCH": Meaning.NOT_PERMITTED,
        "BANK_ERROR": Meaning.UNAVAILABLE,
        "FREQUENCY_LIMITED": Meaning.TOO_OFTEN,
        "FREQUENCY_LIMIT_EXCEED": Meaning.TOO_OFTEN,
        "INVALID_REQUEST": Meaning.PARAMETER_REFUSED,
        "INVALID_TRANSACTIONID": Meaning.NOT_FOUND,
        "MCH_NOT_EXISTS": Meaning.NOT_PERMITTED,
        "NOT_ENOUGH": Meaning.BALANCE_SHORT,
        "NOT_FOUND": Meaning.NOT_FOUND,
        "NO_AUTH": Meaning.NOT_PERMITTED,
        "NO_STATEMENT_EXIST": Meaning.NOT_FOUND,
        "OPENID_MISMATCH": Meaning.PAYER_REFUSED,
        "ORDER_CLOSED": Meaning.ORDER_CLOSED,
        "ORDER_NOT_EXIST": Meaning.NOT_FOUND,
        "ORDER_PAID": Meaning.ORDER_PAID,
        "OUT_TRADE_NO_USED": Meaning.NUMBER_USED,
        "PARAM_ERROR": Meaning.PARAMETER_REFUSED,
        "RATELIMIT_EXCEEDED": Meaning.TOO_OFTEN,
        "REFUND_NOT_EXIST": Meaning.NOT_FOUND,
        "REQUEST_BLOCKED": Meaning.NOT_PERMITTED,
        "RESOURCE_NOT_EXISTS": Meaning.NOT_FOUND,
        "RULE_LIMIT": Meaning.RULE_REFUSED,
        "SIGN_ERROR": Meaning.SIGNATURE_REFUSED,
        "STATEMENT_CREATING": Meaning.PROCESSING,
        "SYSTEM_ERROR": Meaning.UNAVAILABLE,
        "TRADE_ERROR": Meaning.RULE_REFUSED,
        "USER_ACCOUNT_ABNORMAL": Meaning.PAYER_REFUSED,
        "USER_PAYING": Meaning.PROCESSING,
    }
)
"""The codes we know, in the present spelling. Older interfaces write them without underscores."""
_SPELLING = {name.replace("_", ""): name for name in TABLE}
_WILL_PASS = frozenset({Meaning.UNAVAILABLE, Meaning.TOO_OFTEN, Meaning.PROCESSING, Meaning.SIGNATURE_REFUSED})
log = get_logger("wechat_pay")
_CODE = re.compile(r"[A-Z0-9_]{1,64}")
_MESSAGE_CHARS = 200


def normalised(code: str) -> str:
    """Write a code in the present spelling: ORDERNOTEXIST is ORDER_NOT_EXIST; what is no code is UNKNOWN."""
    upper = code.upper()
    known = _SPELLING.get(upper.replace("_", ""))
    if known:
        return known
    return upper if _CODE.fullmatch(upper) else "UNKNOWN"


def refusal(response: httpx.Response) -> OutsideError:
    """Turn an answer outside 2xx into an error, named after its status (HTTP_502) if it gives no code."""
    status = response.status_code
    answer = json_object(response.content) or {}
    given = answer.get("code")
    code = normalised(given) if isinstance(given, str) and given else f"HTTP_{status}"
    known = TABLE.get(code)
    if known is None and not code.startswith("HTTP_"):
        log.warning("wechat_pay_code_unmapped", code=code, status=status)
    if known is Meaning.SIGNATURE_REFUSED:
        disbelief.tell(SYSTEM, code)
    message = str(answer.get("message") or "refused without a word")[:_MESSAGE_CHARS]
    return OutsideError(SYSTEM, code, message, permanent=not (may_pass(status) or known in _WILL_PASS))
