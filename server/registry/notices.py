"""What an officer may write to the parties of a case: short, and nobody's numbers; pure."""

import re
import unicodedata

from kit.errors import FieldError
from server.registry.errors import NoticeInvalid

LONGEST = 100
_SHORTEST_CARD = 15
_MOBILE = re.compile(r"1[3-9][0-9]{9}$")
_MOBILE_DIGITS = 11
# The numbers of applications and cases, whose groups no identity number has.
_OUR_NUMBERS = re.compile(r"(?<![0-9])20[0-9]{6}-[0-9]{6}-[0-9]{6}(?![0-9])")
_DIGITS = re.compile(r"[0-9](?:[ \-·.]?[0-9])*[ \-]?[Xx]?")
_NOT_SEPARATED = re.compile(r"[^0-9Xx]")


def cleaned(text: str) -> str:
    """One line without control characters; NOTICE_INVALID when it is empty, too long, or holds somebody's number.

    What looks like an identity number, a mobile phone or a bank card is refused, however it is spaced: the message goes
    over wallets and is shown on locked screens.
    """
    line = " ".join("".join(c if _is_visible(c) else " " for c in text).split())
    if not line:
        raise _invalid("EMPTY", "请填写通知内容")
    if len(line) > LONGEST:
        raise _invalid("TOO_LONG", f"通知内容不能超过{LONGEST}个字")
    if holds_a_number(line):
        raise _invalid("PERSONAL_NUMBER", "通知内容不能包含证件号码、手机号码或者银行卡号")
    return line


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or character == "\u200d"


def holds_a_number(text: str) -> bool:
    """Whether there is something like an identity number, a mobile phone or a bank card in it."""
    plain = _OUR_NUMBERS.sub(" ", unicodedata.normalize("NFKC", text))
    return any(_is_personal(_NOT_SEPARATED.sub("", found)) for found in _DIGITS.findall(plain))


def _is_personal(number: str) -> bool:
    digits = number.rstrip("Xx")
    if len(digits) >= _SHORTEST_CARD:
        return True
    return len(digits) >= _MOBILE_DIGITS and _MOBILE.search(digits) is not None


def _invalid(code: str, message: str) -> NoticeInvalid:
    return NoticeInvalid(errors=(FieldError("text", code, message),))
