"""Reading what Alipay's gateway answers: the signature covers the answer's own text, so that is what is cut out.

Parsing and writing the JSON again would change spaces, escapes and order; searching with patterns, as the SDK
does, can be led astray by text inside a string. So the outer object is walked member by member with the JSON
decoder itself, which says where each value ends.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")
_LARGEST = 4 * 1024 * 1024


class UnreadableError(ValueError):
    """Not the one JSON object that a gateway answers, or one that says something twice."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the outer object; `raw` is its value's text exactly as it came."""

    raw: str
    value: Any


def members(body: bytes) -> dict[str, Member]:
    """Take the outer JSON object apart; raise UnreadableError, also when any object in it repeats a key."""
    if len(body) > _LARGEST:
        raise UnreadableError("too large")
    try:
        return _members(body.decode())
    except RecursionError:
        raise UnreadableError("too deep") from None
    except ValueError as error:
        raise error if isinstance(error, UnreadableError) else UnreadableError("no JSON") from None


def _members(text: str) -> dict[str, Member]:
    found: dict[str, Member] = {}
    at = _expect(text, "{", _skip(text, 0))
    if text[at : at + 1] == "}":
        return _ended(text, at, found)
    while True:
        name, at = _DECODER.raw_decode(text, at)
        if not isinstance(name, str) or name in found:
            raise UnreadableError("a name is no string or stands twice")
        start = _expect(text, ":", _skip(text, at))
        value, end = _DECODER.raw_decode(text, start)
        found[name] = Member(text[start:end], value)
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            return _ended(text, at, found)
        at = _skip(text, at + 1)


def _ended(text: str, at: int, found: dict[str, Member]) -> dict[str, Member]:
    if _expect(text, "}", at) != len(text):
        raise UnreadableError("more than one value")
    return found


def _expect(text: str, mark: str, at: int) -> int:
    """Where the next token begins after `mark`, which must stand at `at`."""
    if text[at : at + 1] != mark:
        raise UnreadableError(f"no {mark}")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise UnreadableError("a name stands twice")
    return named


def _no_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
