"""Scenario 13: no entry before the tax is cleared; the bureau's signed callback releases it, once."""

from sandbox.demo import cast, filing, office
from sandbox.demo.scene import Scene
from tests.journeys import outcome
from tests.journeys.city import Town
from tests.journeys.problems import refused


def test_entry_waits_for_the_tax(town: Town):
    city, scene = town.city, town.scene
    filing.draw_up(scene)
    filing.confirm_and_submit(scene)
    office.arrive(scene)
    office.accept_and_review(scene)
    entry = f"/staff/v1/cases/{scene.case_id}/entry"
    problem = refused(scene.officer.calls, "POST", entry, json={}, status=409, code="TAX_NOT_CLEARED")
    assert "tax" in problem["waits_for"]
    assert _tax(scene) == "open"
    declared = scene.journey.wait_for("the declaration", lambda: office._declaration(scene))
    number = declared["declaration_no"]
    forged = scene.outside.do("/tax/notify", declaration_no=number, wrong_key=True)
    assert forged["status"] == 401
    outcome.come_to_rest(city)
    refused(scene.officer.calls, "POST", entry, json={}, status=409, code="TAX_NOT_CLEARED")

    scene.outside.do("/tax/pay", declaration_no=number)
    scene.journey.wait_for("the tax to be cleared", lambda: _tax(scene) == "done" or None)
    scene.outside.do("/tax/notify", declaration_no=number, replay=True)
    entered = scene.officer.decide("enter", scene.case_id, "entry")
    assert entered["state"] == "entered"
    outcome.come_to_rest(city)
    assert city.count("registry_register_entry", "case_id = ?", scene.case_id) == 1
    taxes = {each["tax"]: each["amount_fen"] for each in scene.application(scene.buyer)["taxes"]}
    assert taxes["deed_tax"] == cast.DEED_TAX_FEN
    assert sum(taxes.values()) == cast.DEED_TAX_FEN, "held for five years and the only home: no other tax"


def _tax(scene: Scene) -> str:
    tracks = scene.officer.case(scene.case_id)["tracks"]
    return str(next(each["state"] for each in tracks if each["code"] == "tax"))
