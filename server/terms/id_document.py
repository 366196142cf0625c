import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from server.terms.codes import IdKind
from server.terms.errors import TermError
from server.terms.text import stars, tidy

ID_NUMBER_INDEX = "id_number"
"""The purpose of every blind index of an ID number: rooms find the same person only under the same one."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_FULL_AGE = 18
_CITIZEN_LENGTH = 18

_EIGHTEEN = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_FIFTEEN = re.compile(r"[1-9][0-9]{14}", re.ASCII)
# Mainland provinces by their first two digits; counties come and go, so retired county codes are accepted.
_PROVINCES = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])")
_HMT_REGIONS = re.compile(r"8[123]0000")
_OLD_PERMANENT = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_LOOSE = {
    IdKind.HM_TRAVEL_PERMIT: re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?", re.ASCII),
    IdKind.TAIWAN_TRAVEL_PERMIT: re.compile(r"[0-9]{8}", re.ASCII),
    IdKind.PASSPORT: re.compile(r"[EGDSPH](?:[0-9]{8}|[A-HJ-NP-Z][0-9]{7})", re.ASCII),
    IdKind.FOREIGN_PASSPORT: re.compile(r"[A-Z0-9]{5,17}", re.ASCII),
    IdKind.HOUSEHOLD_REGISTER: re.compile(r"[A-Z0-9]{6,20}", re.ASCII),
    IdKind.MILITARY: re.compile(r"(?:[\u4e00-\u9fa5]{1,4}第?)?[0-9]{6,10}号?"),
    IdKind.OTHER: re.compile(r"[A-Z0-9\u4e00-\u9fa5()/-]{4,30}"),
}


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


def citizen_check(body: str) -> str:
    """The check character for the first 17 digits, GB 11643-1999 (ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return _CHECKS[total % len(_CHECKS)]


@dataclass(frozen=True, slots=True)
class IdDocument:
    """A person's identity document; the number is canonical (18 digits for a resident, upper case)."""

    kind: IdKind
    number: str

    @classmethod
    def parse(cls, text: str, kind: IdKind = IdKind.RESIDENT_ID) -> Self:
        """Read a number of the given kind; a 15-digit resident number becomes its 18 digits.

        Raises TermError ID_NUMBER_INVALID (shape), ID_NUMBER_BIRTH, ID_NUMBER_CHECK or ID_KIND_NOT_PERSONAL.
        """
        number = tidy(text)
        if reader := _READERS.get(kind):
            return cls(kind, reader(number))
        if kind not in _LOOSE:
            raise TermError("ID_KIND_NOT_PERSONAL", "该证件不是个人身份证件，单位请填写统一社会信用代码。")
        if not _LOOSE[kind].fullmatch(number):
            raise _shape_error(kind)
        return cls(kind, number)

    def birth_date(self) -> date | None:
        """The date of birth inside an 18-digit number; None where the number does not tell."""
        return _birth(self.number) if self._has_birth() else None

    def sex(self) -> Sex | None:
        """By the sequence digit of an 18-digit number; None where the number does not tell."""
        if not self._has_birth():
            return None
        return Sex.MALE if int(self.number[16]) % 2 else Sex.FEMALE

    def age(self, on: date) -> int | None:
        """Full years on that day, None where the number does not tell."""
        birth = self.birth_date()
        if birth is None:
            return None
        return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))

    def is_minor(self, on: date) -> bool | None:
        """Under 18 full years on that day; None where the number does not tell, so somebody must ask."""
        age = self.age(on)
        return None if age is None else age < _FULL_AGE

    def masked(self) -> str:
        if len(self.number) >= len("320102500101999"):
            return stars(self.number, head=3, tail=4)
        return stars(self.number, head=1, tail=2)

    def _has_birth(self) -> bool:
        return self.kind in _READERS and len(self.number) == _CITIZEN_LENGTH

    def __str__(self) -> str:
        return self.number


def _shape_error(kind: IdKind) -> TermError:
    return TermError("ID_NUMBER_INVALID", f"{kind.text}号码的格式不对，请按证件逐位核对后重新填写。")


def _birth(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise TermError("ID_NUMBER_BIRTH", "证件号码中的出生日期不对，请按证件逐位核对。") from None


def _checked(number: str, kind: IdKind) -> str:
    """An 18-digit number whose birth date exists and whose check digit is right."""
    if not _EIGHTEEN.fullmatch(number):
        raise _shape_error(kind)
    _birth(number)
    if citizen_check(number[:-1]) != number[-1]:
        raise TermError("ID_NUMBER_CHECK", f"{kind.text}号码有误，最后一位与前面的数字对不上，请按证件逐位核对。")
    return number


def _resident(number: str) -> str:
    if _FIFTEEN.fullmatch(number):
        body = f"{number[:6]}19{number[6:]}"
        number = body + citizen_check(body)
    if not _PROVINCES.match(number):
        raise _shape_error(IdKind.RESIDENT_ID)
    return _checked(number, IdKind.RESIDENT_ID)


def _hmt_residence(number: str) -> str:
    if not _HMT_REGIONS.match(number):
        raise _shape_error(IdKind.HMT_RESIDENCE_PERMIT)
    return _checked(number, IdKind.HMT_RESIDENCE_PERMIT)


def _permanent(number: str) -> str:
    if _OLD_PERMANENT.fullmatch(number):
        return number
    if not number.startswith("9"):
        raise _shape_error(IdKind.PERMANENT_RESIDENT_CARD)
    return _checked(number, IdKind.PERMANENT_RESIDENT_CARD)


_READERS: dict[IdKind, Callable[[str], str]] = {
    IdKind.RESIDENT_ID: _resident,
    IdKind.HMT_RESIDENCE_PERMIT: _hmt_residence,
    IdKind.PERMANENT_RESIDENT_CARD: _permanent,
}
