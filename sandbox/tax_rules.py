"""What the sale of a home is taxed with; amounts in fen, computed exactly and rounded half up once per tax.

Sources: deed tax, 财政部 税务总局 住房城乡建设部公告2024年第16号 (from 2024-12-01); VAT of individuals on homes
held under two years, 3 % in place of 5 % from 2026-01-01; the three surcharges halved for individuals until 2027-12-31;
individual income tax by assessment (核定) at 1 %.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

_SMALL_HOME_CENTIARE = 14_000  # 140 square metres
_VAT_CUT = date(2026, 1, 1)
_VAT_FREE_AFTER_YEARS = 2
_LOCAL_DEED_RATE = Fraction(3, 100)
_INCOME_RATE = Fraction(1, 100)
# City maintenance and construction, education, local education: of the VAT, halved.
_SURCHARGES = (Fraction(7, 200), Fraction(3, 200), Fraction(2, 200))

Payer = Literal["buyer", "seller"]


@dataclass(frozen=True, slots=True)
class Sale:
    """`buyer_homes`: how many homes the buyer's family holds already; area in 0.01 m2."""

    on: date
    price_fen: int
    area_centiare: int
    held_since: date
    sole_home_over_five_years: bool
    residential: bool
    buyer_homes: int


@dataclass(frozen=True, slots=True)
class Tax:
    tax: Literal["deed_tax", "vat", "surcharge", "income_tax"]
    payer: Payer
    amount_fen: int


def assess(sale: Sale) -> list[Tax]:
    """All four, those of nothing included."""
    vat_rate = _vat_rate(sale)
    net = Fraction(sale.price_fen) / (1 + vat_rate)
    vat = net * vat_rate
    exempt = sale.residential and sale.sole_home_over_five_years
    return [
        Tax("deed_tax", "buyer", half_up(net * _deed_rate(sale))),
        Tax("vat", "seller", half_up(vat)),
        # Three taxes in law, each rounded for itself, shown as one line.
        Tax("surcharge", "seller", sum(half_up(vat * rate) for rate in _SURCHARGES)),
        Tax("income_tax", "seller", 0 if exempt else half_up(net * _INCOME_RATE)),
    ]


def half_up(amount: Fraction) -> int:
    """To the nearest fen, a half upwards; amounts are never negative."""
    return int(amount + Fraction(1, 2))


def _deed_rate(sale: Sale) -> Fraction:
    if not sale.residential or sale.buyer_homes > 1:
        return _LOCAL_DEED_RATE
    if sale.area_centiare <= _SMALL_HOME_CENTIARE:
        return Fraction(1, 100)
    return Fraction(15, 1000) if sale.buyer_homes == 0 else Fraction(2, 100)


def _vat_rate(sale: Sale) -> Fraction:
    if sale.residential and sale.on >= _years_after(sale.held_since, _VAT_FREE_AFTER_YEARS):
        return Fraction(0)
    return Fraction(3, 100) if sale.on >= _VAT_CUT else Fraction(5, 100)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February has no anniversary in a common year
        return date(day.year + years, 3, 1)
