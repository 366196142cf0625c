"""Reading what WeChat's server API answers."""

from typing import Any

import httpx

from kit.errors import OutsideError
from kit.wallets.transport import json_object, may_pass
from kit.wallets.wechat.errors import SYSTEM, WechatError


def errcode(answer: dict[str, Any]) -> int:
    """Read the errcode; 0 where there is none, -1 (busy) where it is no number."""
    value = answer.get("errcode", 0)
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return -1


def read(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object, whatever its errcode; raise OutsideError when there is none to read."""
    answer = json_object(response.content)
    if answer is not None and (response.is_success or "errcode" in answer):
        return answer
    if response.is_success:
        raise OutsideError(SYSTEM, "BAD_ANSWER", "the answer is no JSON object", permanent=False)
    status = response.status_code
    raise OutsideError(SYSTEM, f"HTTP_{status}", "refused by HTTP status", permanent=not may_pass(status))


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer if its errcode is 0 or absent; raise WechatError otherwise."""
    number = errcode(answer)
    if number:
        raise WechatError(number, str(answer.get("errmsg", "")))
    return answer
