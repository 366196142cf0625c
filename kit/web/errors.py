from kit.errors import Kind, Problem


class NotReadable(Problem):
    code = "NOT_READABLE"
    kind = Kind.UNREADABLE
    title = "提交的内容没有读出来，请关闭小程序、重新打开后再试"


class InvalidContent(Problem):
    code = "INVALID_CONTENT"
    kind = Kind.CONTENT
    title = "填写的内容有误，请按每一项的提示修改"


class SessionMissing(Problem):
    code = "SESSION_MISSING"
    kind = Kind.NO_SESSION
    title = "登录已失效，请重新登录"


class LevelTooLow(Problem):
    code = "LEVEL_TOO_LOW"
    kind = Kind.FORBIDDEN
    title = "请先按提示完成身份验证，再办理此项业务"


class PermissionMissing(Problem):
    code = "PERMISSION_MISSING"
    kind = Kind.FORBIDDEN
    title = "您没有办理此项业务的权限，请联系管理员"


class NotFound(Problem):
    code = "NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到您要的内容，请返回后刷新"


class BodyTooLarge(Problem):
    code = "BODY_TOO_LARGE"
    kind = Kind.TOO_LARGE
    title = "内容太大，没有传上去，请换小一点的文件，或者减少内容后再试"


class WrongMediaType(Problem):
    code = "WRONG_MEDIA_TYPE"
    kind = Kind.MEDIA_TYPE
    title = "提交的内容格式不对，没有收下，请关闭小程序、重新打开后再试"


class TooManyRequests(Problem):
    code = "TOO_MANY_REQUESTS"
    kind = Kind.TOO_MANY
    title = "操作太频繁，请过一会儿再试"


class OutsideUnavailable(Problem):
    code = "OUTSIDE_UNAVAILABLE"
    kind = Kind.OUTSIDE_DOWN
    title = "微信、支付宝、登记机构等外部系统暂时连不上，您已保存的内容不会丢失，请过几分钟再试"


class OutsideTooSlow(Problem):
    code = "OUTSIDE_TOO_SLOW"
    kind = Kind.OUTSIDE_SLOW
    title = "微信、支付宝、登记机构等外部系统没有及时答复，您已保存的内容不会丢失，请过几分钟再试"


class OutsideRefused(Problem):
    code = "OUTSIDE_REFUSED"
    kind = Kind.CONTENT
    title = "微信、支付宝、登记机构等外部系统没有接受这次操作，请核对填写的内容后再试，仍不成功的请到登记大厅咨询"


class CallbackSignatureWrong(Problem):
    code = "CALLBACK_SIGNATURE_WRONG"
    kind = Kind.NO_SESSION
    title = "签名无效，请核对密钥、时间和签名内容后重新发送"


class VersionMissing(Problem):
    code = "VERSION_MISSING"
    kind = Kind.STALE
    title = "无法确认您看到的是不是最新内容，请刷新后再修改"


class VersionStale(Problem):
    code = "VERSION_STALE"
    kind = Kind.STALE
    title = "内容刚刚有了变化，请刷新后再修改"
