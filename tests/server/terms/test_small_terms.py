import pytest

from server.terms.codes import CoOwnership, HouseUsage, IdKind, PartyRole, RegistrationType, RightType
from server.terms.district import District
from server.terms.errors import TermError
from server.terms.person_name import PersonName
from server.terms.phone import Phone
from server.terms.scope import Scope
from server.terms.text import stars


@pytest.mark.parametrize("typed", ["13812345678", "+86 138-1234-5678", "008613812345678", "１３８１２３４５６７８"])
def test_phone_is_normalised_and_masked(typed: str) -> None:
    phone = Phone.parse(typed)
    assert (str(phone), phone.masked()) == ("13812345678", "138****5678")


@pytest.mark.parametrize("typed", ["", "1381234567", "12812345678", "02584000000", "138123456789"])
def test_phone_refuses_other_numbers(typed: str) -> None:
    with pytest.raises(TermError, match="PHONE_INVALID"):
        Phone.parse(typed)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张明", "张*"),
        ("王小强", "王*强"),
        ("王大小强", "王**强"),
        ("欧阳文轩", "欧阳**"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("阿", "*"),
        ("阿不都•热合曼", "阿***"),
        ("John  Smith", "J***"),
        ("武〇", "武*"),
    ],
)
def test_name_masks(name: str, masked: str) -> None:
    assert PersonName.parse(name).masked() == masked


def test_name_is_normalised() -> None:
    assert str(PersonName.parse(" 张 明 ")) == "张明"
    assert str(PersonName.parse("阿不都•热合曼")) == "阿不都·热合曼"
    assert str(PersonName.parse(" John   Smith ")) == "John Smith"


@pytest.mark.parametrize("name", ["", "  ", "张3", "··", "张\u200b明", "张" * 61, "张+明"])
def test_name_refuses_what_is_no_name(name: str) -> None:
    with pytest.raises(TermError, match="NAME_INVALID"):
        PersonName.parse(name)


def test_district_covers_what_lies_in_it() -> None:
    county = District.parse("320114")
    assert (county.province(), county.city(), str(county)) == ("32", "3201", "320114")
    assert District("320000").covers(county)
    assert District("320100").covers(county)
    assert county.covers(county)
    assert not District("320200").covers(county)
    assert not District("330000").covers(county)
    assert not county.covers(District("320105"))


@pytest.mark.parametrize("text", ["", "32011", "0320114", "32011A", "020114"])
def test_district_refuses_other_shapes(text: str) -> None:
    with pytest.raises(TermError, match="DISTRICT_INVALID"):
        District.parse(text)


def test_scope_limits_to_its_districts() -> None:
    scope = Scope.of("320114", "320105")
    assert scope.allows("320114")
    assert not scope.allows("320104")
    assert str(scope) == "320105,320114"
    assert Scope.parse("320114，320105") == scope
    assert not Scope.of().allows("320114")


def test_scope_of_everything() -> None:
    assert Scope.parse(" * ") == Scope.all()
    assert Scope.all().allows("320104")
    assert str(Scope.all()) == "*"
    with pytest.raises(TermError, match="SCOPE_EMPTY"):
        Scope.parse(" , ")


def test_stars_hide_all_of_a_short_text() -> None:
    assert stars("123", head=3, tail=4) == "***"


def test_codes_are_words_with_national_code_and_text() -> None:
    assert RegistrationType("transfer") is RegistrationType.TRANSFER
    assert (RegistrationType.TRANSFER.national, RegistrationType.TRANSFER.text) == ("200", "转移登记")
    assert f"{RightType.STATE_LAND_AND_HOUSE}" == "state_land_and_house"
    assert RightType.STATE_LAND_AND_HOUSE.national == "4"
    assert CoOwnership.BY_SHARES.national == "2"
    assert PartyRole.OBLIGOR.national == "YWR"
    assert IdKind.RESIDENT_ID.text == "居民身份证"


def test_house_usage_decides_what_is_a_home() -> None:
    assert [usage for usage in HouseUsage if usage.is_parking()] == [HouseUsage.PARKING, HouseUsage.STORAGE]
    assert HouseUsage.VILLA.is_home()
    assert not HouseUsage.PARKING.is_home()
    assert not HouseUsage.COMMERCE.is_home()
