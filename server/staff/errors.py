from kit.errors import FieldError, Kind, Problem


class StaffSignInRefused(Problem):
    code = "STAFF_SIGN_IN_REFUSED"
    kind = Kind.NO_SESSION
    title = "用户名、密码或动态验证码不正确，请核对后重试"


class StaffSignInLocked(Problem):
    code = "STAFF_SIGN_IN_LOCKED"
    kind = Kind.TOO_MANY
    title = "连续多次登录失败，请30分钟后再试，或联系管理员"


class StaffUsernameTaken(Problem):
    code = "STAFF_USERNAME_TAKEN"
    title = "这个用户名已经有人使用，请换一个"


class StaffNotFound(Problem):
    code = "STAFF_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这个账号，请核对后重试"


class StaffInvalid(Problem):
    """What is wrong with a new account stands in `errors`."""

    code = "STAFF_INVALID"
    kind = Kind.CONTENT
    title = "账号信息有误，请按提示修改"


class ParkedRowNotFound(Problem):
    code = "PARKED_ROW_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这项搁置任务，可能已经重新执行，请刷新"


def invalid(field: str, code: str, sentence: str) -> StaffInvalid:
    """One wrong field of an account."""
    return StaffInvalid(sentence, errors=[FieldError(field, code, sentence)])
