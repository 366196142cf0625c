import re

import pytest
import yaml

from server.appointments import content

SHIPPED = yaml.safe_dump(content.shipped().model_dump(mode="json"), allow_unicode=True)


def test_the_shipped_offices_serve_the_demos_districts() -> None:
    offices = content.shipped()
    assert [office.district for office in offices.offices] == ["320114", "320105"]
    plan = offices.plan_of(offices.offices[1])
    assert (plan.group_for("TRANSFER_RESALE"), plan.group_for("MORTGAGE_FIRST")) == (plan.group("transfer"), None)
    assert content.Plan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("letter: B", "letter: A", "same letter twice"),
        ("code: mortgage", "code: transfer", "same group twice"),
        ("- MORTGAGE_FIRST", "- SPOUSE", "same business twice"),
        ("code: demo-320105", "code: demo-320114", "same office twice"),
        ("group: mortgage", "group: transfer", "same group at demo-320114 twice"),
        ("group: mortgage", "group: nobody", "unknown groups: nobody"),
        ("ends: '12:00:00'", "ends: '09:00:00'", "end after they begin"),
        ("capacity: 8", "capacity: 0", "greater than or equal to 1"),
        ("district: '320114'", "district: nowhere", "pattern"),
        ("slot_minutes: 30", "colour: red", "Extra inputs"),
    ],
)
def test_a_file_with_a_fault_is_refused(wrong: str, right: str, complaint: str) -> None:
    assert wrong in SHIPPED
    with pytest.raises(ValueError, match=re.escape(complaint)):
        content.read(SHIPPED.replace(wrong, right, 1))
