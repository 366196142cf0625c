"""What an officer may write to the parties of a case: short, and nobody's numbers; pure."""

from kit.errors import FieldError
from server.registry.errors import NoticeInvalid
from server.terms.open_words import holds_a_number, one_line

LONGEST = 100


def cleaned(text: str) -> str:
    """One line without control characters; NOTICE_INVALID when it is empty, too long, or holds somebody's number.

    What looks like an identity number, a mobile phone or a bank card is refused, however it is spelled: the message
    goes over wallets and is shown on locked screens.
    """
    line = one_line(text)
    if not line:
        raise _invalid("EMPTY", "请填写通知内容")
    if len(line) > LONGEST:
        raise _invalid("TOO_LONG", f"通知内容不能超过{LONGEST}个字")
    if holds_a_number(line):
        raise _invalid("PERSONAL_NUMBER", "通知内容不能包含证件号码、手机号码或者银行卡号")
    return line


def _invalid(code: str, message: str) -> NoticeInvalid:
    return NoticeInvalid(errors=(FieldError("text", code, message),))
