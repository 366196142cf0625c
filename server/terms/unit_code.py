import re
from dataclasses import dataclass
from typing import Self

from server.terms.district import District
from server.terms.errors import TermError
from server.terms.text import stars, tidy

_SHAPE = re.compile(r"[0-9]{12}[GJZ][ABSXCDEFHGWY][0-9]{5}[FLQW][0-9]{8}", re.ASCII)
_LAND_ONLY = "W"
_HOUSE = "F"


@dataclass(frozen=True, slots=True, order=True)
class UnitCode:
    """A property unit (不动产单元) by its 28 characters, GB/T 37346-2019; the code has no check digit."""

    code: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the code, grouped by spaces or not; raises TermError UNIT_CODE_INVALID."""
        code = tidy(text)
        if not _SHAPE.fullmatch(code):
            raise TermError("UNIT_CODE_INVALID", "不动产单元号应为28位，请按不动产权证书上的单元号核对后重新填写。")
        return cls(code)

    def district(self) -> District:
        return District(self.code[:6])

    def parcel(self) -> str:
        """The parcel's code (宗地代码), its first 19 characters."""
        return self.code[:19]

    def ownership_feature(self) -> str:
        """G state-owned, J collective, Z not determined."""
        return self.code[12]

    def parcel_feature(self) -> str:
        """B surface, S above ground, X below ground, C homestead and so on."""
        return self.code[13]

    def fixture_feature(self) -> str:
        """F house, L trees, Q other fixture, W none (land alone)."""
        return self.code[19]

    def is_land_only(self) -> bool:
        return self.fixture_feature() == _LAND_ONLY

    def building(self) -> str | None:
        """The building's number (幢) when the unit is a house, else None."""
        return self.code[20:24] if self.fixture_feature() == _HOUSE else None

    def room(self) -> str | None:
        """The room's number (户) when the unit is a house, else None."""
        return self.code[24:] if self.fixture_feature() == _HOUSE else None

    def grouped(self) -> str:
        """As certificates print it: groups of 6, 6, 7 and 9 characters."""
        return " ".join((self.code[:6], self.code[6:12], self.code[12:19], self.code[19:]))

    def masked(self) -> str:
        return stars(self.code, head=6, tail=2)

    def __str__(self) -> str:
        return self.code
