"""What the register says of a property unit (不动产单元), as the registry answers it and the platform reads it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Owner:
    """A registered owner in clear; shares are both None where they own together without shares."""

    name: str
    id_kind: str
    id_number: str
    share_numerator: int | None
    share_denominator: int | None


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit and the right on it as the register shows them now; area in 0.01 m2, `version` the right's."""

    unit_code: str
    district: str
    location: str
    usage: str
    usage_text: str
    right_type: str
    area_centiare: int
    certificate_number: str
    co_ownership: str
    held_since: date
    version: int
    encumbered: bool
    owners: tuple[Owner, ...]
