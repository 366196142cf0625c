from collections.abc import Mapping

from kit.errors import FieldError, Kind, Problem
from server.terms.errors import TermError


class LoginCodeRejected(Problem):
    code = "LOGIN_CODE_REJECTED"
    kind = Kind.CONTENT
    title = "这次登录没有成功，请关闭小程序、重新打开后再登录"


class LoginBlocked(Problem):
    code = "LOGIN_BLOCKED"
    kind = Kind.FORBIDDEN
    title = "这个账号被提示存在风险，请先在微信或支付宝中解除限制，或者到登记大厅办理"


class PhoneCodeRejected(Problem):
    code = "PHONE_CODE_REJECTED"
    kind = Kind.CONTENT
    title = "没有取到您的手机号，请重新点击“获取手机号”"


class PhoneNotMainland(Problem):
    code = "PHONE_NOT_MAINLAND"
    kind = Kind.CONTENT
    title = "目前只能绑定中国大陆手机号，请换一个号码"


class WalletMissing(Problem):
    code = "WALLET_MISSING"
    title = "当前账号没有关联这里的微信或支付宝，请退出后重新登录"


class RealNameRequired(Problem):
    code = "REAL_NAME_REQUIRED"
    kind = Kind.FORBIDDEN
    title = "请先完成实名认证，再继续办理"


class NameInvalid(Problem):
    code = "NAME_INVALID"
    kind = Kind.CONTENT
    title = "姓名应与身份证件上的一致，请核对后重新填写"


class IdNumberInvalid(Problem):
    code = "ID_NUMBER_INVALID"
    kind = Kind.CONTENT
    title = "身份证号码的格式不对，请按证件逐位核对后重新填写"


class IdBirthDateInvalid(Problem):
    code = "ID_BIRTH_DATE_INVALID"
    kind = Kind.CONTENT
    title = "身份证号码中的出生日期不对，请按证件逐位核对"


class IdCheckDigitWrong(Problem):
    code = "ID_CHECK_DIGIT_WRONG"
    kind = Kind.CONTENT
    title = "身份证号码有误，最后一位与前面的数字对不上，请按证件逐位核对"


class FaceDigestInvalid(Problem):
    code = "FACE_DIGEST_INVALID"
    kind = Kind.CONTENT
    title = "没有认出您要确认的是哪一份内容，请返回后重新打开确认页"


class IdentityFixed(Problem):
    code = "IDENTITY_FIXED"
    title = "您已经用本人身份实名认证，不能换成另一个人；其他人请用自己的微信或支付宝办理"


class IdentityAlreadyBound(Problem):
    code = "IDENTITY_ALREADY_BOUND"
    title = "这个身份已经在另一个同类账号上实名认证，请用那个账号登录，或者到登记大厅办理"


class FaceCheckNotFound(Problem):
    code = "FACE_CHECK_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这次人脸核验，请重新发起"


class FaceCheckExpired(Problem):
    code = "FACE_CHECK_EXPIRED"
    title = "人脸核验已超过15分钟，请重新核验"


class FaceCheckNotPassed(Problem):
    code = "FACE_CHECK_NOT_PASSED"
    title = "人脸核验还没有通过，请先完成核验"


class FaceCheckMismatch(Problem):
    code = "FACE_CHECK_MISMATCH"
    title = "人脸核验对应的不是当前内容，请重新核验后再确认"


class FaceCheckUsed(Problem):
    code = "FACE_CHECK_USED"
    title = "这次人脸核验已用于另一项确认，请重新核验"


_BY_TERM: Mapping[str, type[Problem]] = {
    "NAME_INVALID": NameInvalid,
    "ID_NUMBER_BIRTH": IdBirthDateInvalid,
    "ID_NUMBER_CHECK": IdCheckDigitWrong,
}


def of_term(error: TermError, *, field: str) -> Problem:
    """The problem that says what is wrong with a name or an ID number; never repeats either."""
    problem = _BY_TERM.get(error.code, IdNumberInvalid)
    return problem(error.sentence, errors=[FieldError(field, problem.code, error.sentence)])
