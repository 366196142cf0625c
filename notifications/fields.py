"""What a wallet lets stand in a template's field, by the kind of the field; pure.

The kinds and limits are WeChat's for subscription messages, as its page on message templates lists them.
WeChat does not say what it counts as a character: here it is a UTF-16 unit, the most that any count comes to.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

NOTHING = "无"
DASH = "-"

EMPTY, LINE_BREAK, TOO_LONG, CHARACTERS, KIND = "EMPTY", "LINE_BREAK", "TOO_LONG", "CHARACTERS", "KIND_UNKNOWN"
"""What can be wrong with a value."""

_CHINESE = "\u4e00-\u9fff"
_NOT_CHINESE = re.compile(f"[^{_CHINESE}]")
_NOT_PLAIN = re.compile(r"[^\x21-\x7e]")
_NOT_DIGIT = re.compile(r"[^0-9.]")
_NOT_LETTER = re.compile(r"[^A-Za-z]")
_NOT_SYMBOL = re.compile(rf"[\sA-Za-z0-9{_CHINESE}]")
_NOT_PHONE = re.compile(r"[^0-9+()\- ]")
_NOT_CAR = re.compile(rf"[^A-Z0-9{_CHINESE}]")
_BLANKS = re.compile(r"\s+")
_BREAKS = re.compile(r"[\r\n\v\f\x85\u2028\u2029]")
_JOINER = "\u200d"
_FLAG = range(0x1F1E6, 0x1F200)
_SKIN = range(0x1F3FB, 0x1F400)

_CLOCK = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_DAY = r"[0-9]{4}年(0?[1-9]|1[0-2])月(0?[1-9]|[12][0-9]|3[01])日|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_MOMENT = rf"({_DAY})( {_CLOCK})?"
_TIME = re.compile(rf"({_CLOCK}|{_MOMENT})( ?~ ?({_CLOCK}|{_MOMENT}))?")
_DATE = re.compile(rf"{_MOMENT}( ?~ ?{_MOMENT})?")
_AMOUNT = re.compile(r"[¥￥$€£]?[0-9]{1,10}(\.[0-9]+)?元?")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_NAME = re.compile(rf"[{_CHINESE}·]{{1,10}}|[A-Za-z .·]{{1,20}}")


@dataclass(frozen=True, slots=True)
class Kind:
    """`longest` counts UTF-16 units; `fit` makes a text that has no line breaks fit, or raises ValueError."""

    longest: int
    pattern: re.Pattern[str]
    fit: Callable[[str], str]


def kind_of(field: str) -> str:
    """`thing1` is a field of the kind `thing`."""
    return field.rstrip("0123456789")


def flaw(field: str, text: str) -> str | None:
    """What the wallet would refuse in this value, one of the codes above; None when it takes it."""
    kind = KINDS.get(kind_of(field))
    if kind is None:
        return KIND
    if not text.strip():
        return EMPTY
    if _BREAKS.search(text):
        return LINE_BREAK
    if units(text) > kind.longest:
        return TOO_LONG
    return None if kind.pattern.fullmatch(text) else CHARACTERS


def fit(field: str, text: str) -> str:
    """The text as the field takes it, shortened where it is too long.

    An empty value or a line break makes WeChat refuse the whole message. ValueError for an unknown kind, and for what
    no shortening can mend: a time that is none, an amount that is none, letters where there are none.
    """
    kind = KINDS.get(kind_of(field))
    if kind is None:
        raise ValueError(f"no rule for fields of the kind {kind_of(field)}")
    return kind.fit(one_line(text))


def fitted(fields: Mapping[str, str]) -> dict[str, str]:
    """Every field as its kind takes it."""
    return {field: fit(field, text) for field, text in fields.items()}


def one_line(text: str) -> str:
    """Without line breaks, and with single blanks."""
    return _BLANKS.sub(" ", _BREAKS.sub(" ", text)).strip()


def units(text: str) -> int:
    """Its length in UTF-16 units: a rare character or a picture counts two."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)  # noqa: PLR2004 - the end of the first plane


def clusters(text: str) -> Iterator[str]:
    """What a reader sees as one character each: never half of a letter with its accent, a flag or a family."""
    current = ""
    for character in text:
        if current and not _continues(current, character):
            yield current
            current = ""
        current += character
    if current:
        yield current


def _continues(current: str, character: str) -> bool:
    if unicodedata.category(character)[0] == "M" or character == _JOINER or current[-1] == _JOINER:
        return True
    if ord(character) in _SKIN:
        return True
    return ord(character) in _FLAG and len(current) == 1 and ord(current) in _FLAG


def beginning(text: str, longest: int) -> str:
    """As many whole characters from the front as `longest` units hold."""
    kept, length = "", 0
    for cluster in clusters(text):
        length += units(cluster)
        if length > longest:
            break
        kept += cluster
    return kept


def shortened(text: str, longest: int) -> str:
    """At most `longest` units, the last an ellipsis where something was left out."""
    return text if units(text) <= longest else beginning(text, longest - 1) + "…"


def _thing(text: str) -> str:
    return shortened(text, KINDS["thing"].longest) or NOTHING


def _number(text: str) -> str:
    sign = text[0] if text[:1] in {"+", "-"} else ""
    digits = _NOT_DIGIT.sub("", text)[-(KINDS["number"].longest - len(sign)) :].strip(".")
    return _checked("number", sign + digits)


def _letter(text: str) -> str:
    return _checked("letter", _NOT_LETTER.sub("", text)[: KINDS["letter"].longest])


def _symbol(text: str) -> str:
    return beginning(_NOT_SYMBOL.sub("", text), KINDS["symbol"].longest) or DASH


def _character_string(text: str) -> str:
    """Of a longer number the end is kept, which tells it from its like."""
    return _NOT_PLAIN.sub("", text)[-KINDS["character_string"].longest :] or DASH


def _phone_number(text: str) -> str:
    return _checked("phone_number", _NOT_PHONE.sub("", text)[-KINDS["phone_number"].longest :].strip())


def _car_number(text: str) -> str:
    return _checked("car_number", _NOT_CAR.sub("", text.upper())[: KINDS["car_number"].longest])


def _name(text: str) -> str:
    longest = 20 if text.isascii() else 10
    return _checked("name", beginning(text, longest).strip())


def _phrase(text: str) -> str:
    return _NOT_CHINESE.sub("", text)[: KINDS["phrase"].longest] or NOTHING


def _as_it_is(kind: str) -> Callable[[str], str]:
    return lambda text: _checked(kind, text)


def _checked(kind: str, text: str) -> str:
    found = flaw(kind, text)
    if found is not None:
        raise ValueError(f"no {kind}: {found}")
    return text


KINDS: dict[str, Kind] = {
    "thing": Kind(20, re.compile(r".+"), _thing),
    "number": Kind(32, _NUMBER, _number),
    "letter": Kind(32, re.compile(r"[A-Za-z]+"), _letter),
    "symbol": Kind(5, re.compile(rf"[^\sA-Za-z0-9{_CHINESE}]+"), _symbol),
    "character_string": Kind(32, re.compile(r"[\x21-\x7e]+"), _character_string),
    "time": Kind(64, _TIME, _as_it_is("time")),
    "date": Kind(64, _DATE, _as_it_is("date")),
    "amount": Kind(32, _AMOUNT, _as_it_is("amount")),
    "phone_number": Kind(17, re.compile(r"[0-9+()\- ]+"), _phone_number),
    "car_number": Kind(8, re.compile(rf"[A-Z0-9{_CHINESE}]+"), _car_number),
    "name": Kind(20, _NAME, _name),
    "phrase": Kind(5, re.compile(f"[{_CHINESE}]+"), _phrase),
    "enum": Kind(20, re.compile(r".+"), _as_it_is("enum")),
}
