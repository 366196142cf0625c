"""Codes that people read as words."""

from enum import StrEnum
from typing import Self


class Worded(StrEnum):
    """A code of ours and `text`, the Chinese that people read in its place; TypeError for a member without one."""

    text: str

    def __new__(cls, code: str, text: str = "") -> Self:
        # The default only lets type checkers see that Kind("code") looks a member up.
        if not text:
            raise TypeError(f"{cls.__name__} has no word for {code}")
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member
