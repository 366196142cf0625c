"""What a file is, by its content; the name and the declared type prove nothing."""

import filetype  # type: ignore[import-untyped]  # ships no types

ACCEPTED = frozenset({"image/jpeg", "image/png", "application/pdf"})
HEAD_BYTES = 4096  # how much of the start is needed
_SAME = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}


def sniff(head: bytes) -> str | None:
    """Name the media type of a file that starts with `head`: JPEG, PNG or PDF, else None."""
    kind = filetype.guess(head)
    return kind.mime if kind is not None and kind.mime in ACCEPTED else None


def media_type(declared: str) -> str:
    """The media type that a Content-Type names, in its one registered spelling."""
    named = declared.partition(";")[0].strip().lower()
    return _SAME.get(named, named)
