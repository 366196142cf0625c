"""WeChat's errcode, and which of them will pass."""

from kit.errors import OutsideError

SYSTEM = "wechat"

# The token was refused, not the call: renew it and say the same again.
TOKEN_REFUSED = frozenset({40001, 40014, 42001})

# Everything else says that the call itself is wrong (40029 bad code, 40163 used code, 43101 not subscribed,
# 40226 blocked for risk, 47003 bad field, 48001 no right to the API, 40164 address not on the list ...):
# repeating it is of no use, and for codes that nobody has heard of yet a person should look.
TRANSIENT = TOKEN_REFUSED | frozenset(
    {
        -1,  # busy
        -1000,  # system error
        45009,  # the day's or the minute's quota of the API
        45011,  # too often for one user
        50001,  # internal error of the API's gateway
        45110,  # the server's own rate limit
        61024,  # frequency of the component
    }
)

_MESSAGE_CHARS = 200


class WechatError(OutsideError):
    """WeChat answered with an errcode other than 0; `code` is that number as text."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(SYSTEM, str(errcode), errmsg[:_MESSAGE_CHARS], permanent=errcode not in TRANSIENT)
        self.errcode = errcode
        self.errmsg = self.message
