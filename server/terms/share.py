import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from server.terms.errors import TermError
from server.terms.text import tidy

_FRACTION = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?%", re.ASCII)
_TWO_THIRDS = Fraction(2, 3)


@dataclass(frozen=True, slots=True)
class Share:
    """One owner's part of a property, more than nothing and at most the whole, in lowest terms."""

    numerator: int
    denominator: int

    @classmethod
    def of(cls, numerator: int, denominator: int) -> Self:
        """Reduce to lowest terms; raises TermError SHARE_INVALID outside (0, 1]."""
        if denominator <= 0 or not 0 < numerator <= denominator:
            raise TermError("SHARE_INVALID", "份额应大于0且不超过1，请填写如 1/2 或 50%。")
        part = Fraction(numerator, denominator)
        return cls(part.numerator, part.denominator)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1/2`, `50%` or `33.33%`."""
        written = tidy(text)
        if match := _FRACTION.fullmatch(written):
            return cls.of(int(match[1]), int(match[2]))
        if _PERCENT.fullmatch(written):
            part = Fraction(written[:-1]) / 100
            return cls.of(part.numerator, part.denominator)
        raise TermError("SHARE_INVALID", "份额应大于0且不超过1，请填写如 1/2 或 50%。")

    @classmethod
    def whole(cls) -> Self:
        return cls(1, 1)

    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    def percent_text(self) -> str:
        """As certificates print it: `50%`; a part with no finite percentage stays a fraction."""
        percent = self.fraction() * 100
        return f"{percent.numerator}%" if percent.denominator == 1 else str(self)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


def total(shares: Iterable[Share]) -> Fraction:
    return sum((share.fraction() for share in shares), Fraction(0))


def sum_to_one(shares: Iterable[Share]) -> bool:
    return total(shares) == 1


def reach_two_thirds(shares: Iterable[Share]) -> bool:
    """Whether owners by shares may dispose of the property together (民法典第301条)."""
    return total(shares) >= _TWO_THIRDS
