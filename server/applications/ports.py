from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore
from kit.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Taxpayer:
    """Who is taxed; the number is that of the identity document."""

    name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax of one side; `payer` is `seller` or `buyer`, the amount in fen and possibly nothing."""

    tax: str
    payer: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the bureau assesses a sale by; area in 0.01 m2, price in fen. The same number means the same declaration."""

    declaration_no: str
    case_number: str
    unit_code: str
    area_centiare: int
    price_fen: int
    held_since: date
    sole_home_over_five_years: bool
    usage: str
    sellers: Sequence[Taxpayer]
    buyers: Sequence[Taxpayer]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the bureau answered: every tax, those of nothing included."""

    declaration_no: str
    accepted_at: datetime
    taxes: Sequence[TaxLine]


@dataclass(frozen=True, slots=True)
class TaxNotice:
    """The bureau's word that everything declared is paid or exempt; `event_id` is the bureau's own."""

    event_id: str
    declaration_no: str
    case_number: str
    cleared_at: datetime
    certificate_no: str
    taxes: Sequence[TaxLine]


class TaxBureau(Protocol):
    """The tax bureau: it computes, we store."""

    async def declare(self, declaration: Declaration) -> Assessment:
        """Declare a sale; the same declaration again gets the same answer. OutsideError when it is refused or down."""
        ...

    def read_notice(self, body: bytes) -> TaxNotice:
        """What a verified callback says; kit.errors.Permanent when it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """What applications are built on."""

    clock: Clock
    outbox: Outbox
    cipher: Cipher
    files: FileStore
    taxes: TaxBureau
