import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from server.terms.errors import TermError
from server.terms.text import stars, tidy

# NFKC already makes （） half-width; 〔〕【】 and [] are what people type when they copy by hand.
_BRACKETS = str.maketrans("〔【[〕】]", "((()))")
_SHAPE = re.compile(
    r"(?P<province>[\u4e00-\u9fa5])\((?P<year>[0-9]{4})\)(?P<place>[\u4e00-\u9fa5]+?)"
    r"不动产(?P<kind>权|证明)第(?P<serial>[0-9]{1,12})号",
    re.ASCII,
)
_SHOWN_DIGITS = 3


class CertificateKind(StrEnum):
    TITLE = "title"
    PROOF = "proof"


_WORDS = {CertificateKind.TITLE: "权", CertificateKind.PROOF: "证明"}
_KINDS = {word: kind for kind, word in _WORDS.items()}


@dataclass(frozen=True, slots=True)
class CertificateNumber:
    """The number of a title certificate (不动产权) or registration proof (不动产证明).

    `serial` keeps its leading zeros. Canonically, brackets and digits are half-width.
    """

    province: str
    year: int
    place: str
    kind: CertificateKind
    serial: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a number with brackets of either width; raises TermError CERTIFICATE_NUMBER_INVALID."""
        match = _SHAPE.fullmatch(tidy(text).translate(_BRACKETS))
        if match is None:
            raise TermError(
                "CERTIFICATE_NUMBER_INVALID",
                "证号格式不对，请照证书填写完整，例如：苏(2019)南京市不动产权第0000012号。",
            )
        return cls(
            province=match["province"],
            year=int(match["year"]),
            place=match["place"],
            kind=_KINDS[match["kind"]],
            serial=match["serial"],
        )

    def masked(self) -> str:
        return self._write(stars(self.serial, head=0, tail=_SHOWN_DIGITS))

    def _write(self, serial: str) -> str:
        return f"{self.province}({self.year:04d}){self.place}不动产{_WORDS[self.kind]}第{serial}号"

    def __str__(self) -> str:
        return self._write(self.serial)
