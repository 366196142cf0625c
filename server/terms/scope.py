from dataclasses import dataclass
from typing import Self

from server.terms.district import District
from server.terms.errors import TermError

_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """The districts whose rows a member of staff may see; `districts` None means every district."""

    districts: frozenset[str] | None

    @classmethod
    def all(cls) -> Self:
        return cls(None)

    @classmethod
    def of(cls, *districts: str) -> Self:
        """Only these districts; with none given, nothing at all."""
        return cls(frozenset(District.parse(district).code for district in districts))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `*` or district codes joined by commas, as `str()` writes them."""
        if text.strip() == _EVERYWHERE:
            return cls.all()
        codes = [part for part in text.replace("，", ",").split(",") if part.strip()]
        if not codes:
            raise TermError("SCOPE_EMPTY", "请至少指定一个行政区划代码，或用 * 表示全部区县。")
        return cls.of(*codes)

    def allows(self, district: str) -> bool:
        return self.districts is None or district in self.districts

    def __str__(self) -> str:
        return _EVERYWHERE if self.districts is None else ",".join(sorted(self.districts))
