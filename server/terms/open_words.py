"""What staff write to the public: one clean line in which nobody's number stands, however it is spelled; pure."""

import re
import unicodedata

from kit.links import holds_a_link
from server.terms.errors import TermError

_FEWEST_LETTERS = 2
_SHORTEST_CARD = 15
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# They draw nothing of their own between two digits.
_MARKS = frozenset({"Cf", "Mn", "Me"})
_JOINER = "\u200d"
# The numbers of applications and cases, whose groups no identity number has; and days, which stand beside hours.
_OUR_NUMBERS = re.compile(r"(?<![0-9])20[0-9]{6}-[0-9]{6}-[0-9]{6}(?![0-9])")
_DAYS = re.compile(r"(?<![0-9])20[0-9]{2}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])(?![0-9])")
_SEPARATED = r"[ \-\u2010-\u2015\u2212·.,_/\\|*+~()\[\]]{0,3}"
_DIGITS = re.compile(rf"[0-9](?:{_SEPARATED}[0-9])*")
_NOT_DIGIT = re.compile(r"[^0-9]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_READ_ALOUD = str.maketrans("〇零一壹幺二贰三叁四肆五伍六陆七柒八捌九玖", "001112233445566778899")


def one_line(text: str) -> str:
    """Single blanks, and no character that is not seen or turns what stands around it."""
    return " ".join("".join(each if _is_visible(each) else " " for each in text).split())


def stated_reason(text: str) -> str:
    """Why somebody does something, as one line; TermError REASON_EMPTY when nothing is said."""
    line = one_line(text)
    if sum(each.isalnum() for each in line) < _FEWEST_LETTERS:
        raise TermError("REASON_EMPTY", "请写明原因，至少两个字。")
    return line


def public_reason(text: str) -> str:
    """One that everybody may read; TermError REASON_EMPTY, PERSONAL_NUMBER, LINK."""
    line = stated_reason(text)
    if holds_a_number(line):
        raise TermError("PERSONAL_NUMBER", "原因会公开显示，不能包含证件号码、手机号码或者银行卡号。")
    return without_link(line)


def without_link(text: str) -> str:
    """What is read under the registry's name, as it is; TermError LINK when it would lead a reader elsewhere."""
    if holds_a_link(text):
        raise TermError("LINK", "这里的文字会给办事人看，不能包含网址、邮箱或者链接，请直接写明要怎样办理。")
    return text


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _HIDDEN or character == _JOINER


def holds_a_number(text: str) -> bool:
    """Whether there is something like an identity number, a mobile phone or a bank card in it.

    Spaced, punctuated, in full width, in another script's digits or written out in Chinese, it is the same number.
    """
    plain = "".join(_as_digit(each) for each in unicodedata.normalize("NFKC", text) if not _is_mark(each))
    plain = _DAYS.sub("日", _OUR_NUMBERS.sub("号", plain))
    return any(_is_personal(_NOT_DIGIT.sub("", found)) for found in _DIGITS.findall(plain))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in _MARKS


def _as_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character.translate(_READ_ALOUD) if value is None else str(value)


def _is_personal(digits: str) -> bool:
    # A phone may have an hour or a room behind it.
    return len(digits) >= _SHORTEST_CARD or _MOBILE.search(digits) is not None
