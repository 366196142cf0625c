"""What a file is, by its content; the name and the declared type prove nothing."""

import filetype  # type: ignore[import-untyped]  # ships no types

from kit.files.errors import FileNotAsDeclared

ACCEPTED = frozenset({"image/jpeg", "image/png", "application/pdf"})
HEAD_BYTES = 4096  # how much of the start is needed
_SAME = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}


def sniff(head: bytes) -> str | None:
    """Name the media type of a file that starts with `head`: JPEG, PNG or PDF, else None."""
    kind = filetype.guess(head)
    return kind.mime if kind is not None and kind.mime in ACCEPTED else None


def check_declared(head: bytes, declared: str) -> str:
    """Give the media type found; FileNotAsDeclared if none is accepted or another was declared."""
    found = sniff(head)
    named = declared.partition(";")[0].strip().lower()
    if found is None or found != _SAME.get(named, named):
        raise FileNotAsDeclared
    return found
