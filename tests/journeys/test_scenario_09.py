"""Scenario 9: ID numbers as people type them."""

from typing import Any

from sandbox.demo import cast
from tests.journeys.city import Town
from tests.journeys.problems import fields, refused

_APPLICATIONS = "/api/v1/applications"


def _with_buyer(id_number: str, *, seller: str = cast.SELLER.id_number) -> dict[str, Any]:
    form: dict[str, Any] = cast.application()
    form["parties"][0]["id_number"] = seller
    form["parties"][2]["id_number"] = id_number
    return form


def test_wrong_check_digit(town: Town):
    before = town.city.count("applications_application")
    form = _with_buyer("320106199003079974")
    problem = refused(town.scene.seller.calls, "POST", _APPLICATIONS, json=form, status=422, code="INVALID_CONTENT")
    assert fields(problem) == {"parties.2.id_number": "ID_NUMBER_CHECK"}
    assert "320106199003079974" not in str(problem)
    assert town.city.count("applications_application") == before


def test_lower_case_x_and_fifteen_digits(town: Town):
    seller = town.scene.seller.calls
    form = _with_buyer("320102500101999", seller=cast.SELLER.id_number.lower())
    opened = seller.post("open with old numbers", _APPLICATIONS, form, expect=201)
    masked = [each["id_number_masked"] for each in opened["parties"]]
    assert masked[0].endswith("999X")
    assert len(masked[2]) == 18
    assert (masked[2][:3], masked[2][-4:]) == ("320", "999X")
    assert opened["parties"][0]["is_me"], "x and X are taken for different people"
    same = seller.post("open with the full number", _APPLICATIONS, _with_buyer("32010219500101999X"), expect=201)
    blinds = town.city.rows(
        "SELECT DISTINCT id_number_blind AS b FROM applications_party WHERE id IN (?, ?)",
        opened["parties"][2]["id"],
        same["parties"][2]["id"],
    )
    assert len(blinds) == 1, "15 and 18 digits are taken for different people"
