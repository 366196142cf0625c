from sandbox.answers import Answer, Refused

# errcode -> errmsg as api.weixin.qq.com words them, shortened.
_MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40163: "code been used",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43101: "user refuse to accept the msg",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    47003: "argument invalid!",
    84001: "invalid identify id",
}


def refuse(errcode: int, detail: str = "") -> Refused:
    """WeChat answers 200 and says in `errcode` what is wrong."""
    message = f"{_MESSAGES[errcode]} {detail}".strip()
    return Refused(200, {"errcode": errcode, "errmsg": message})


def accepted(**fields: object) -> Answer:
    return Answer(200, {"errcode": 0, "errmsg": "ok", **fields})
