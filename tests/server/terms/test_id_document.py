from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.terms.codes import IdKind
from server.terms.errors import TermError
from server.terms.id_document import IdDocument, Sex, citizen_check

PERSONS = [
    ("32010219850312999X", date(1985, 3, 12), Sex.MALE),
    ("320102198709219982", date(1987, 9, 21), Sex.FEMALE),
    ("320106199003079973", date(1990, 3, 7), Sex.MALE),
    ("320106199208159969", date(1992, 8, 15), Sex.FEMALE),
    ("320114201506019999", date(2015, 6, 1), Sex.MALE),
    ("320104196801059989", date(1968, 1, 5), Sex.FEMALE),
    ("32010419401001999X", date(1940, 10, 1), Sex.MALE),
]


@pytest.mark.parametrize(("number", "birth", "sex"), PERSONS)
def test_resident_numbers_tell_birth_and_sex(number: str, birth: date, sex: Sex) -> None:
    document = IdDocument.parse(number)
    assert (str(document), document.birth_date(), document.sex()) == (number, birth, sex)


def test_wrong_check_digit_is_refused() -> None:
    with pytest.raises(TermError) as caught:
        IdDocument.parse("320106199003079974")
    assert caught.value.code == "ID_NUMBER_CHECK"
    assert "320106" not in str(caught.value)


@pytest.mark.parametrize(
    "typed", ["32010219850312999x", " 320102 19850312 999X ", "３２０１０２１９８５０３１２９９９Ｘ"]
)
def test_lower_case_spaces_and_full_width_are_normalised(typed: str) -> None:
    assert str(IdDocument.parse(typed)) == "32010219850312999X"


def test_fifteen_digits_become_eighteen() -> None:
    assert str(IdDocument.parse("320102500101999")) == "32010219500101999X"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("810000198211059991", IdKind.HMT_RESIDENCE_PERMIT),
        ("830000199106309977", IdKind.HMT_RESIDENCE_PERMIT),
        ("911124198108030024", IdKind.PERMANENT_RESIDENT_CARD),
    ],
)
def test_other_eighteen_digit_cards_share_the_algorithm(text: str, kind: IdKind) -> None:
    document = IdDocument.parse(text, kind)
    assert str(document) == text
    assert document.birth_date() is not None
    with pytest.raises(TermError):
        IdDocument.parse(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CHN310012345678", IdKind.PERMANENT_RESIDENT_CARD),
        ("H12345678", IdKind.HM_TRAVEL_PERMIT),
        ("m1234567801", IdKind.HM_TRAVEL_PERMIT),
        ("12345678", IdKind.TAIWAN_TRAVEL_PERMIT),
        ("E12345678", IdKind.PASSPORT),
        ("EA1234567", IdKind.PASSPORT),
        ("AB12345", IdKind.FOREIGN_PASSPORT),
        ("军字第0123456号", IdKind.MILITARY),
        ("320102123456", IdKind.HOUSEHOLD_REGISTER),
        ("残字2020-001", IdKind.OTHER),
    ],
)
def test_documents_that_do_not_tell_a_birth_date(text: str, kind: IdKind) -> None:
    document = IdDocument.parse(text, kind)
    assert document.birth_date() is None
    assert document.sex() is None
    assert document.age(date(2026, 1, 1)) is None
    assert document.is_minor(date(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("", IdKind.RESIDENT_ID, "ID_NUMBER_INVALID"),
        ("990102198503129990", IdKind.RESIDENT_ID, "ID_NUMBER_INVALID"),
        ("32010219850312999", IdKind.RESIDENT_ID, "ID_NUMBER_INVALID"),
        ("320102198502309990", IdKind.RESIDENT_ID, "ID_NUMBER_BIRTH"),
        ("320102198503129990", IdKind.HMT_RESIDENCE_PERMIT, "ID_NUMBER_INVALID"),
        ("320102198503129990", IdKind.PERMANENT_RESIDENT_CARD, "ID_NUMBER_INVALID"),
        ("EI1234567", IdKind.PASSPORT, "ID_NUMBER_INVALID"),
        ("91320114MA9YYYYY7N", IdKind.BUSINESS_LICENCE, "ID_KIND_NOT_PERSONAL"),
    ],
)
def test_bad_numbers_name_their_fault(text: str, kind: IdKind, code: str) -> None:
    with pytest.raises(TermError) as caught:
        IdDocument.parse(text, kind)
    assert caught.value.code == code


def test_a_minor_comes_of_age_on_the_birthday() -> None:
    child = IdDocument.parse("320114201506019999")
    assert child.is_minor(date(2033, 5, 31)) is True
    assert child.is_minor(date(2033, 6, 1)) is False
    assert child.age(date(2026, 11, 21)) == 11


def test_masks() -> None:
    assert IdDocument.parse("320106199003079973").masked() == "320***********9973"
    assert IdDocument.parse("E12345678", IdKind.PASSPORT).masked() == "E******78"


BODIES = st.builds(
    lambda place, born, order: f"{place}{born:%Y%m%d}{order:03d}",
    st.sampled_from(["110101", "320114", "650101", "542621"]),
    st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 1, 1)),
    st.integers(0, 999),
)


@given(BODIES, st.integers(0, 16), st.integers(1, 9))
def test_any_single_changed_digit_is_caught(body: str, position: int, shift: int) -> None:
    number = body + citizen_check(body)
    assert str(IdDocument.parse(number.lower())) == number
    changed = str((int(number[position]) + shift) % 10)
    with pytest.raises(TermError):
        IdDocument.parse(number[:position] + changed + number[position + 1 :])


@given(BODIES, st.integers(0, 15))
def test_swapped_neighbours_are_caught(body: str, position: int) -> None:
    number = body + citizen_check(body)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    if swapped != number:
        with pytest.raises(TermError):
            IdDocument.parse(swapped)
