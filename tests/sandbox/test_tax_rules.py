from datetime import date

import pytest

from sandbox.tax_rules import Sale, assess

SCENARIO_1 = {
    "on": date(2026, 11, 21),
    "price_fen": 200_000_000,
    "area_centiare": 8950,
    "held_since": date(2019, 5, 10),
    "sole_home_over_five_years": True,
    "residential": True,
    "buyer_homes": 0,
}
SCENARIO_2 = SCENARIO_1 | {
    "on": date(2026, 3, 16),
    "area_centiare": 15_020,
    "held_since": date(2025, 1, 15),
    "sole_home_over_five_years": False,
    "buyer_homes": 1,
}


def figures(**sale: object) -> dict[str, int]:
    return {tax.tax: tax.amount_fen for tax in assess(Sale(**sale))}  # type: ignore[arg-type]


def test_a_sole_home_held_long_to_a_first_buyer():
    assert figures(**SCENARIO_1) == {"deed_tax": 2_000_000, "vat": 0, "surcharge": 0, "income_tax": 0}


def test_a_young_large_home_to_a_second_buyer():
    assert figures(**SCENARIO_2) == {
        "deed_tax": 3_883_495,
        "vat": 5_825_243,
        "surcharge": 349_514,
        "income_tax": 1_941_748,
    }


@pytest.mark.parametrize(
    ("changes", "deed_tax"),
    [
        ({"area_centiare": 14_000}, 2_000_000),
        ({"area_centiare": 14_001}, 3_000_000),
        ({"area_centiare": 14_000, "buyer_homes": 1}, 2_000_000),
        ({"area_centiare": 14_001, "buyer_homes": 1}, 4_000_000),
        ({"buyer_homes": 2}, 6_000_000),
        ({"price_fen": 150}, 2),
    ],
)
def test_deed_tax_by_area_and_homes(changes: dict[str, object], deed_tax: int):
    assert figures(**SCENARIO_1 | changes)["deed_tax"] == deed_tax


@pytest.mark.parametrize(
    ("on", "held_since", "vat"),
    [
        (date(2026, 5, 9), date(2024, 5, 10), 5_825_243),
        (date(2026, 5, 10), date(2024, 5, 10), 0),
        (date(2026, 2, 28), date(2024, 2, 29), 5_825_243),
        (date(2026, 3, 1), date(2024, 2, 29), 0),
        (date(2025, 12, 31), date(2025, 1, 15), 9_523_810),
    ],
)
def test_vat_by_the_day(on: date, held_since: date, vat: int):
    assert figures(**SCENARIO_1 | {"on": on, "held_since": held_since})["vat"] == vat


def test_a_shop_knows_no_exemption():
    assert figures(**SCENARIO_1 | {"residential": False}) == {
        "deed_tax": 5_825_243,
        "vat": 5_825_243,
        "surcharge": 349_514,
        "income_tax": 1_941_748,
    }
