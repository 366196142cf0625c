"""Scenario 9: ID numbers as people type them."""

from typing import Any

from sandbox.demo import cast
from tests.journeys.city import Town
from tests.journeys.problems import fields, refused

_APPLICATIONS = "/api/v1/applications"


def _with_buyer(id_number: str) -> dict[str, Any]:
    form: dict[str, Any] = cast.application()
    form["parties"][2]["id_number"] = id_number
    return form


def test_wrong_check_digit(town: Town):
    before = town.city.count("applications_application")
    form = _with_buyer("320106199003079974")
    problem = refused(town.scene.seller.calls, "POST", _APPLICATIONS, json=form, status=422, code="INVALID_CONTENT")
    assert fields(problem) == {"parties.2.id_number": "ID_NUMBER_CHECK"}
    assert "320106199003079974" not in str(problem)
    assert town.city.count("applications_application") == before


def test_lower_case_x_is_the_registered_owners_x(town: Town):
    """The co-owner opens it, and types her husband's number with a small x."""
    form: dict[str, Any] = cast.application()
    myself, _, buyer = form["parties"]
    husband = {"role": "seller", "name": cast.SELLER.name, "id_number": cast.SELLER.id_number.lower()}
    form["parties"] = [myself, husband, buyer]
    calls = town.scene.phones[cast.CO_SELLER.key].calls
    opened = calls.post("open with a small x", _APPLICATIONS, form, expect=201)
    assert opened["parties"][1]["id_number_masked"].endswith("999X")


def test_fifteen_digits_are_the_same_person(town: Town):
    spellings = ("320102500101999", "32010219500101999x", "32010219500101999X")
    seller = town.scene.seller.calls
    buyers = [
        seller.post("open with an old number", _APPLICATIONS, _with_buyer(each), expect=201)["parties"][2]
        for each in spellings
    ]
    assert {each["id_number_masked"][-4:] for each in buyers} == {"999X"}
    assert {len(each["id_number_masked"]) for each in buyers} == {18}
    blinds = town.city.rows(
        "SELECT DISTINCT id_number_blind AS b FROM applications_party WHERE id IN (?, ?, ?)",
        *(each["id"] for each in buyers),
    )
    assert len(blinds) == 1
