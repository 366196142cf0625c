"""What an officer may write to the parties of a case: short, and nobody's numbers; pure."""

from kit.errors import FieldError
from kit.links import holds_a_link
from server.registry.errors import NoticeInvalid
from server.terms.open_words import holds_a_number, one_line

LONGEST = 100


def cleaned(text: str) -> str:
    """One line without control characters; NOTICE_INVALID for an empty or long one, somebody's number, or a link.

    What looks like an identity number, a mobile phone or a bank card is refused, however it is spelled: the message
    goes over wallets and is shown on locked screens. Under the registry's name a link would be believed, whoever sits
    at the officer's desk; the message itself leads to the application.
    """
    line = one_line(text)
    if not line:
        raise _invalid("EMPTY", "请填写通知内容")
    if len(line) > LONGEST:
        raise _invalid("TOO_LONG", f"通知内容不能超过{LONGEST}个字")
    if holds_a_number(line):
        raise _invalid("PERSONAL_NUMBER", "通知内容不能包含证件号码、手机号码或者银行卡号")
    if holds_a_link(line):
        raise _invalid("LINK", "通知内容不能包含网址、邮箱或者链接，请直接写明办事人要在小程序中怎样办理")
    return line


def _invalid(code: str, message: str) -> NoticeInvalid:
    return NoticeInvalid(errors=(FieldError("text", code, message),))
