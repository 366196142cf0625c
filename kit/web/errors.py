from kit.errors import Kind, Problem


class NotReadable(Problem):
    code = "NOT_READABLE"
    kind = Kind.UNREADABLE
    title = "请求内容无法读取，请更新小程序后重试"


class InvalidContent(Problem):
    code = "INVALID_CONTENT"
    kind = Kind.CONTENT
    title = "填写的内容有误，请按提示修改"


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
    title = "上传的内容太大，请压缩后重试"


class WrongMediaType(Problem):
    code = "WRONG_MEDIA_TYPE"
    kind = Kind.MEDIA_TYPE
    title = "请求格式不受支持，请更新小程序后重试"


class TooManyRequests(Problem):
    code = "TOO_MANY_REQUESTS"
    kind = Kind.TOO_MANY
    title = "操作太频繁，请稍后再试"


class OutsideUnavailable(Problem):
    code = "OUTSIDE_UNAVAILABLE"
    kind = Kind.OUTSIDE_DOWN
    title = "对方系统暂时无法连接，您的内容已保留，请几分钟后重试"


class OutsideTooSlow(Problem):
    code = "OUTSIDE_TOO_SLOW"
    kind = Kind.OUTSIDE_SLOW
    title = "对方系统响应太慢，您的内容已保留，请几分钟后重试"


class OutsideRefused(Problem):
    code = "OUTSIDE_REFUSED"
    kind = Kind.CONTENT
    title = "对方系统没有受理这次请求，请核对后重试"


class CallbackSignatureWrong(Problem):
    code = "CALLBACK_SIGNATURE_WRONG"
    kind = Kind.NO_SESSION
    title = "签名无效"


class VersionMissing(Problem):
    code = "VERSION_MISSING"
    kind = Kind.STALE
    title = "页面版本缺失，请刷新后再修改"


class VersionStale(Problem):
    code = "VERSION_STALE"
    kind = Kind.STALE
    title = "内容已被更新，请刷新后再修改"
