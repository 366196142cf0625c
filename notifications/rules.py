"""What a message may look like in a wallet's template, and what becomes of one delivery; pure."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

INBOX = "inbox"
"""The channel that always reaches: the message itself, kept with us."""
NOTHING = "无"
DASH = "-"

_THING_CHARS = 20
_PHRASE_CHARS = 5
_STRING_CHARS = 32
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_NOT_CHINESE = re.compile(r"[^\u4e00-\u9fff]")
_NOT_PLAIN = re.compile(r"[^\x21-\x7e]")
_BLANKS = re.compile(r"\s+")
_TIME = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日( \d{1,2}:\d{2}(:\d{2})?)?|\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?")


class DeliveryState(StrEnum):
    """`skipped`: there was no way to reach the person, which is nobody's fault; `failed`: staff should look."""

    QUEUED = "queued"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class Skipped(StrEnum):
    """Why nothing was sent."""

    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    NO_TEMPLATE = "no_template"


def fit(field: str, text: str) -> str:
    """The text as a template's field takes it: `thing1` is of the kind `thing`, shortened where it is too long.

    An empty value or a line break makes WeChat refuse the whole message. ValueError for an unknown kind and for a time
    that is none.
    """
    kind = field.rstrip("0123456789")
    if kind not in _KINDS:
        raise ValueError(f"no rule for fields of the kind {kind}")
    return _KINDS[kind](_BLANKS.sub(" ", text).strip())


def fitted(fields: Mapping[str, str]) -> dict[str, str]:
    """Every field as its kind takes it."""
    return {field: fit(field, text) for field, text in fields.items()}


def _thing(text: str) -> str:
    """At most 20 characters of any kind."""
    return shortened(text, _THING_CHARS) or NOTHING


def _phrase(text: str) -> str:
    """At most 5 Chinese characters and nothing else."""
    return _NOT_CHINESE.sub("", text)[:_PHRASE_CHARS] or NOTHING


def _character_string(text: str) -> str:
    """At most 32 printable ASCII characters; of a longer number the end is kept, which tells it from its like."""
    return _NOT_PLAIN.sub("", _CHINESE.sub("", text))[-_STRING_CHARS:] or DASH


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("a time is written 2026年11月21日 09:05")
    return text


_KINDS: dict[str, Callable[[str], str]] = {
    "thing": _thing,
    "phrase": _phrase,
    "character_string": _character_string,
    "time": _time,
}


def shortened(text: str, longest: int) -> str:
    """At most `longest` characters, the last an ellipsis where something was left out."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
