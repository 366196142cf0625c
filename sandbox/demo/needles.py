"""Every form in which a person's particulars could lie in a file."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.people import Person

_CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
# Shorter byte strings turn up by chance in encrypted files.
_LEAST_FOR_BASE64 = 6
_LEAST_ALONE = 6
_FIELDS = ("name", "id_number", "phone", "openid", "alipay_user_id", "alipay_open_id")
_END_OF_ADDRESS = 9


@dataclass(frozen=True, slots=True)
class Needle:
    """`data` to look for; `what` says whose and in which form; `charset` when it is too short to count alone."""

    what: str
    data: bytes
    charset: str | None = None


def of_people(people: Iterable[Person]) -> list[Needle]:
    """Names, ID numbers, phone numbers and what each wallet calls them, in every form; none twice."""
    found: dict[bytes, Needle] = {}
    for person in people:
        for field in _FIELDS:
            for needle in _forms(f"{field} of {person.key}", getattr(person, field)):
                found.setdefault(needle.data, needle)
    return list(found.values())


def of_address(line: str) -> list[Needle]:
    """A postal address in every form, by its end, which no mask shows: the house and the flat."""
    return list({needle.data: needle for needle in _forms("address", line[-_END_OF_ADDRESS:])}.values())


def _forms(what: str, text: str) -> Iterator[Needle]:
    for spelling in {text, text.lower(), text.upper()}:
        for charset in _CHARSETS:
            raw = spelling.encode(charset)
            short = len(raw) < _LEAST_ALONE
            yield Needle(f"{what} ({charset})", raw, charset if short else None)
            yield from _hex(f"{what} ({charset}, hex)", raw)
            if len(raw) >= _LEAST_FOR_BASE64:
                yield from _base64(f"{what} ({charset}, base64)", raw)
                yield from _base32(f"{what} ({charset}, base32)", raw)
        yield from _escaped(what, spelling)


def _hex(what: str, raw: bytes) -> Iterator[Needle]:
    if len(raw) >= _LEAST_ALONE - 2:
        yield Needle(what, raw.hex().encode())
        yield Needle(what, raw.hex().upper().encode())


def _base64(what: str, raw: bytes) -> Iterator[Needle]:
    """The characters that depend on `raw` alone, at each of the three places it can begin."""
    for before in range(3):
        inner = base64.b64encode(bytes(before) + raw + bytes(2))[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield Needle(what, inner)
        yield Needle(what, inner.translate(bytes.maketrans(b"+/", b"-_")))


def _base32(what: str, raw: bytes) -> Iterator[Needle]:
    for before in range(5):
        inner = base64.b32encode(bytes(before) + raw + bytes(4))[-(-before * 8 // 5) : (before + len(raw)) * 8 // 5]
        yield Needle(what, inner)
        yield Needle(what, inner.lower())


def _escaped(what: str, text: str) -> Iterator[Needle]:
    if text.isascii():
        return
    escaped = json.dumps(text)[1:-1]
    yield Needle(f"{what} (\\u)", escaped.encode())
    yield Needle(f"{what} (\\u)", escaped.upper().replace("\\U", "\\u").encode())
    for charset in ("utf-8", "gb18030"):
        yield Needle(f"{what} ({charset}, url)", quote(text, encoding=charset).encode())
        yield Needle(f"{what} ({charset}, url)", quote(text, encoding=charset).lower().encode())
    yield Needle(f"{what} (html)", "".join(f"&#{ord(each)};" for each in text).encode())
    yield Needle(f"{what} (html)", "".join(f"&#x{ord(each):x};" for each in text).encode())
