import pytest

from server.terms.errors import TermError
from server.terms.unit_code import UnitCode

H1 = "320114001002GB00012F00180302"


@pytest.mark.parametrize("typed", [H1, "320114 001002 GB00012 F00180302", H1.lower(), f"\t{H1}　"])
def test_reads_grouped_codes(typed: str) -> None:
    assert str(UnitCode.parse(typed)) == H1


def test_parts_of_a_house() -> None:
    unit = UnitCode.parse(H1)
    assert unit.parcel() == "320114001002GB00012"
    assert str(unit.district()) == "320114"
    assert (unit.ownership_feature(), unit.parcel_feature(), unit.fixture_feature()) == ("G", "B", "F")
    assert (unit.building(), unit.room()) == ("0018", "0302")
    assert not unit.is_land_only()
    assert unit.grouped() == "320114 001002 GB00012 F00180302"
    assert unit.masked() == "320114********************02"


def test_land_alone_has_no_building() -> None:
    unit = UnitCode.parse("320114001002GB00012W00000000")
    assert unit.is_land_only()
    assert (unit.building(), unit.room()) == (None, None)


@pytest.mark.parametrize("typed", ["", H1[:-1], H1 + "0", H1.replace("G", "K"), H1.replace("F", "Z")])
def test_refuses_other_shapes(typed: str) -> None:
    with pytest.raises(TermError, match="UNIT_CODE_INVALID"):
        UnitCode.parse(typed)
