import re
from dataclasses import dataclass
from typing import Self

from server.terms.errors import TermError
from server.terms.text import stars, tidy

_SHAPE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Phone:
    """A mainland mobile number, kept as its eleven digits without the country code."""

    number: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a number with or without +86, spaces or hyphens; raises TermError PHONE_INVALID."""
        match = _SHAPE.fullmatch(tidy(text).replace("-", ""))
        if match is None:
            raise TermError("PHONE_INVALID", "请填写11位的中国大陆手机号码。")
        return cls(match[1])

    def masked(self) -> str:
        return stars(self.number, head=3, tail=4)

    def __str__(self) -> str:
        return self.number
