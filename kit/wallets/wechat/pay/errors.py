"""WeChat Pay's error codes in one spelling, and which of them will pass."""

import re

import httpx

from kit.errors import OutsideError
from kit.wallets.transport import json_object, may_pass

SYSTEM = "wechat_pay"

# The codes we know, in the present spelling. Older interfaces write them without underscores.
_KNOWN = (
    "ACCOUNT_ERROR",
    "ALREADY_EXISTS",
    "APPID_MCHID_NOT_MATCH",
    "BANK_ERROR",
    "FREQUENCY_LIMITED",
    "FREQUENCY_LIMIT_EXCEED",
    "INVALID_REQUEST",
    "INVALID_TRANSACTIONID",
    "MCH_NOT_EXISTS",
    "NOT_ENOUGH",
    "NOT_FOUND",
    "NO_AUTH",
    "OPENID_MISMATCH",
    "ORDER_CLOSED",
    "ORDER_NOT_EXIST",
    "ORDER_PAID",
    "OUT_TRADE_NO_USED",
    "PARAM_ERROR",
    "RATELIMIT_EXCEEDED",
    "REQUEST_BLOCKED",
    "RESOURCE_NOT_EXISTS",
    "RULE_LIMIT",
    "SIGN_ERROR",
    "SYSTEM_ERROR",
    "TRADE_ERROR",
    "USER_ACCOUNT_ABNORMAL",
    "USER_PAYING",
)
_SPELLING = {name.replace("_", ""): name for name in _KNOWN}

_TRANSIENT = frozenset(
    {
        "BANK_ERROR",
        "FREQUENCY_LIMITED",
        "FREQUENCY_LIMIT_EXCEED",
        "RATELIMIT_EXCEEDED",
        "SYSTEM_ERROR",
        "USER_PAYING",
    }
)
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
    message = str(answer.get("message") or "refused without a word")[:_MESSAGE_CHARS]
    return OutsideError(SYSTEM, code, message, permanent=not (may_pass(status) or code in _TRANSIENT))
