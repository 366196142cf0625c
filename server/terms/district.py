import re
from dataclasses import dataclass
from typing import Self

from server.terms.errors import TermError
from server.terms.text import tidy

_SHAPE = re.compile(r"[1-9][0-9]{5}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class District:
    """A county-level division by its six digits (GB/T 2260); retired codes stay valid on old documents."""

    code: str

    @classmethod
    def parse(cls, text: str) -> Self:
        code = tidy(text)
        if not _SHAPE.fullmatch(code):
            raise TermError("DISTRICT_INVALID", "行政区划代码应为6位数字，请重新选择所在区县。")
        return cls(code)

    def province(self) -> str:
        return self.code[:2]

    def city(self) -> str:
        return self.code[:4]

    def covers(self, other: "District") -> bool:
        """A province (..0000) covers its cities and a city (....00) its counties; a county covers itself."""
        if self.code.endswith("0000"):
            return self.province() == other.province()
        if self.code.endswith("00"):
            return self.city() == other.city()
        return self.code == other.code

    def __str__(self) -> str:
        return self.code
