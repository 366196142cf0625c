"""How Alipay says no: at the gateway without a signature, in business inside the signed object."""

from typing import Any

from sandbox.answers import Refused

# code -> msg; what exactly is wrong stands in sub_code and sub_msg.
MESSAGES = {
    "10000": "Success",
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40003": "Insufficient Conditions",
    "40004": "Business Failed",
    "40006": "Insufficient Permissions",
}
# sub_code -> sub_msg, where there is only one way to put it.
_SENTENCES = {
    "isv.invalid-signature": "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配",
    "isv.code-invalid": "授权码code无效",
    "isv.refresh-token-invalid": "刷新令牌refresh_token无效",
    "isv.refresh-token-time-out": "刷新令牌refresh_token已过期",
    "aop.ACQ.SYSTEM_ERROR": "系统异常",
    "ACQ.TRADE_NOT_EXIST": "交易不存在",
    "ACQ.TRADE_HAS_SUCCESS": "交易已被支付",
    "ACQ.TRADE_HAS_CLOSE": "交易已经关闭",
    "ACQ.TRADE_HAS_FINISHED": "交易已完结",
    "ACQ.TRADE_STATUS_ERROR": "交易状态不合法",
    "ACQ.TRADE_BUYER_NOT_MATCH": "交易买家不匹配",
    "ACQ.CONTEXT_INCONSISTENT": "交易信息被篡改",
    "ACQ.BUYER_NOT_EXIST": "买家不存在",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": "退款金额超限",
    "ACQ.DISCORDANT_REPEAT_REQUEST": "不一致的请求",
}


class Declined(Exception):
    """A refusal of the interface itself: answered in its `..._response`, signed."""

    def __init__(self, code: str, sub_code: str, sub_msg: str = "") -> None:
        super().__init__(f"{code} {sub_code}")
        self.body = refusal(code, sub_code, sub_msg)


def refusal(code: str, sub_code: str, sub_msg: str = "") -> dict[str, Any]:
    said = sub_msg or _SENTENCES.get(sub_code, sub_code)
    return {"code": code, "msg": MESSAGES[code], "sub_code": sub_code, "sub_msg": said}


def turned_away(code: str, sub_code: str, sub_msg: str = "") -> Refused:
    """The gateway lets nobody in: an `error_response` that carries no signature."""
    return Refused(200, {"error_response": refusal(code, sub_code, sub_msg)})


def failed(sub_code: str, sub_msg: str = "") -> Declined:
    """40004: the business does not allow it."""
    return Declined("40004", sub_code, sub_msg)


def invalid(field: str) -> Declined:
    """ACQ.INVALID_PARAMETER, naming the parameter."""
    return failed("ACQ.INVALID_PARAMETER", f"参数无效：{field}")
