from datetime import date

import pytest

from server.catalogue.content import FeeDue, MaterialForm
from server.catalogue.loading import (
    shipped_businesses,
    shipped_calendar,
    shipped_conflicts,
    shipped_dictionaries,
    shipped_fees,
)
from server.terms import codes
from server.terms.codes import Coded, PartyRole

RESALE = shipped_businesses()[0]


def test_the_resale_transfer_is_what_the_field_says() -> None:
    assert (RESALE.code, RESALE.rec_type, RESALE.registration_type.national) == ("TRANSFER_RESALE", "2000402", "200")
    assert RESALE.right_type.national == "4"
    assert RESALE.fee_due is FeeDue.REVIEW_PASSED
    assert RESALE.supersedes_certificate
    assert RESALE.entry_kind in shipped_conflicts().kinds


def test_the_forms_of_the_materials() -> None:
    by_form = {form: {material.code for material in RESALE.materials if material.form is form} for form in MaterialForm}
    assert by_form[MaterialForm.GENERATED] == {"M01", "M03", "M04"}
    assert by_form[MaterialForm.EXTERNAL] == {"M09"}
    assert by_form[MaterialForm.COPY_SCAN] == {"M10", "M10H"}
    assert by_form[MaterialForm.ORIGINAL_SCAN] == {"M02", "M05", "M06", "M07", "M08", "M25"}


def test_parts_are_found_by_code() -> None:
    material = RESALE.material("M07")
    assert material is not None
    assert material.needs_original_check
    role = RESALE.role(PartyRole.OBLIGOR)
    assert role is not None
    assert role.name == "卖方"
    track = RESALE.track("tax")
    assert track is not None
    assert track.blocked_code == "TAX_NOT_CLEARED"
    assert RESALE.material("M99") is None
    assert RESALE.role(PartyRole.CO_OWNER) is None
    assert RESALE.track("trade") is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("registration_type", codes.RegistrationType),
        ("right_type", codes.RightType),
        ("right_nature", codes.RightNature),
        ("house_nature", codes.HouseNature),
        ("house_usage", codes.HouseUsage),
        ("house_structure", codes.HouseStructure),
        ("co_ownership", codes.CoOwnership),
        ("id_kind", codes.IdKind),
        ("holder_type", codes.HolderType),
    ],
)
def test_dictionaries_agree_with_our_words(name: str, kind: type[Coded]) -> None:
    rows = [(entry.code, entry.national, entry.text) for entry in shipped_dictionaries()[name].entries]
    assert rows == [(member.value, member.national, member.text) for member in kind]


def test_the_fee_table_ends_with_a_rule_for_everything() -> None:
    assert shipped_fees().rules[-1].when.text == "always"


def test_working_days_of_both_years_are_shipped_unverified() -> None:
    calendar = shipped_calendar()
    assert calendar.years == {2026, 2027}
    assert calendar.verified == frozenset()
    assert calendar.is_working_day(date(2026, 2, 14))
    assert not calendar.is_working_day(date(2026, 10, 7))
    assert not calendar.is_working_day(date(2027, 2, 8))
