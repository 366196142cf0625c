import re
from dataclasses import dataclass
from typing import Self

from server.terms.district import District
from server.terms.errors import TermError
from server.terms.text import tidy

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(rf"[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}")
_MODULUS = 31
_WEIGHTS = tuple(pow(3, position, _MODULUS) for position in range(17))


def credit_check(body: str) -> str:
    """The check character for the first 17 characters, GB 32100-2015."""
    total = sum(weight * _ALPHABET.index(character) for weight, character in zip(_WEIGHTS, body, strict=True))
    return _ALPHABET[-total % _MODULUS]


@dataclass(frozen=True, slots=True)
class CreditCode:
    """An organisation's unified social credit code (统一社会信用代码), 18 characters, GB 32100-2015."""

    code: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises TermError CREDIT_CODE_INVALID (shape) or CREDIT_CODE_CHECK (check character)."""
        code = tidy(text)
        if not _SHAPE.fullmatch(code):
            raise TermError("CREDIT_CODE_INVALID", "统一社会信用代码应为18位，请按营业执照核对后重新填写。")
        if credit_check(code[:-1]) != code[-1]:
            raise TermError("CREDIT_CODE_CHECK", "统一社会信用代码的校验位不对，请按营业执照逐位核对。")
        return cls(code)

    def district(self) -> District:
        """Where the organisation was registered."""
        return District(self.code[2:8])

    def organisation_code(self) -> str:
        """The nine-character organisation code (GB 11714) inside."""
        return self.code[8:17]

    def __str__(self) -> str:
        return self.code
