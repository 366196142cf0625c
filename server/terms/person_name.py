import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from server.terms.errors import TermError

_LONGEST = 60
_DOT = "·"
_DOTS = str.maketrans(dict.fromkeys("•‧∙・･．.", _DOT))
# The compound surnames still borne by many; any other is taken for a single one.
_COMPOUND = frozenset(
    re.findall(
        "..",
        "欧阳司马上官诸葛东方皇甫尉迟公孙慕容司徒令狐端木夏侯轩辕宇文长孙南宫独孤呼延闻人"
        "澹台公冶濮阳淳于单于太史申屠钟离赫连鲜于闾丘仲孙东郭西门百里拓跋左丘万俟完颜",
    )
)
# Unassigned and private-use ones are let in: rare characters of real names are newer than our Unicode tables.
_REFUSED = frozenset(("Cc", "Cf", "Cs", "Nd", "No", "Sc", "Sm", "So"))
_GIVEN_SHOWN_FROM = 3


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name as on the ID document; the middle dot of minority names is always `·`."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises TermError NAME_INVALID for an empty, overlong or digit-bearing name."""
        name = " ".join(unicodedata.normalize("NFC", text).split())
        if not name.isascii():
            name = name.replace(" ", "").translate(_DOTS)
        letters = any(character.isalpha() for character in name)
        strange = any(unicodedata.category(character) in _REFUSED for character in name)
        if not letters or strange or len(name) > _LONGEST:
            raise TermError("NAME_INVALID", "姓名应与身份证件上的一致，不能为空，也不能含有数字或符号。")
        return cls(name)

    def masked(self) -> str:
        """张*, 王*强 or 欧阳**; a name in letters or with a dot keeps only its first character."""
        name = self.text
        if len(name) == 1:
            return "*"
        if name.isascii() or _DOT in name:
            return name[0] + "***"
        if len(name) >= _GIVEN_SHOWN_FROM and name[:2] in _COMPOUND:
            return name[:2] + "*" * (len(name) - 2)
        if len(name) < _GIVEN_SHOWN_FROM:
            return name[0] + "*"
        return name[0] + "*" * (len(name) - 2) + name[-1]

    def __str__(self) -> str:
        return self.text
