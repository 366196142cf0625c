"""Scenario 8: a double tap submits once; the unit is locked for another application of it."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from sandbox.demo import cast, filing, materials
from sandbox.demo.scene import Scene
from sandbox.phones.handset import Handset
from tests.journeys import outcome
from tests.journeys.city import Town
from tests.journeys.problems import refused


def test_double_tap_and_a_second_application(town: Town):
    city, scene = town.city, town.scene
    filing.draw_up(scene)
    _confirm_all(scene)
    path = f"{scene.application_path}/submission"
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    def tap(phone: Handset) -> dict[str, object]:
        return dict(phone.calls.post("submit", path, headers=headers, expect=201))

    with ThreadPoolExecutor(2) as fingers:
        taps = list(fingers.map(tap, [scene.seller, scene.seller]))
    again = tap(scene.seller)
    assert taps[0]["receipt"] == taps[1]["receipt"] == again["receipt"]
    assert taps[0]["number"] == again["number"]
    other = {"Idempotency-Key": uuid.uuid4().hex}
    refused(scene.seller.calls, "POST", path, json={}, headers=other, status=409, code="ALREADY_SUBMITTED")
    outcome.become_quiet(city)
    assert city.count("registry_case", "application_id = ?", scene.application_id) == 1

    first, number = scene.application_id, again["number"]
    _second_application_finds_the_unit_claimed(scene, first, number)
    scene.buyer.calls.post("withdraw the first", f"/api/v1/applications/{first}/withdrawal", expect=200)
    outcome.become_quiet(city)
    assert city.count("applications_claim") == 0


def _second_application_finds_the_unit_claimed(scene: Scene, first: str, number: object) -> None:
    filing.draw_up(scene)
    path = scene.application_path
    scene.seller.calls.post("ask all parties to confirm", f"{path}/confirmation-request", expect=200)
    filing._confirm(scene, scene.seller)
    other = scene.phones[cast.CO_SELLER.key]
    problem = _try_to_confirm(scene, other)
    assert problem["until"] > "2026"
    # The asker is a party of the other application, so may know which it is.
    assert problem["application"] == {"id": first, "number": number}
    scene.seller.calls.post("give the second up", f"{path}/withdrawal", expect=200)


def _confirm_all(scene: Scene) -> None:
    scene.seller.calls.post("ask all parties to confirm", f"{scene.application_path}/confirmation-request", expect=200)
    for phone in scene.phones.values():
        filing._confirm(scene, phone)


def _try_to_confirm(scene: Scene, phone: Handset) -> dict[str, object]:
    path = scene.application_path
    questions = phone.calls.get("read the inquiry", f"{path}/inquiry")["questions"]
    answers = {each["code"]: cast.SELLERS_ANSWERS[each["code"]] for each in questions}
    read = phone.calls.put("answer it", f"{path}/inquiry", {"answers": answers})
    form = {
        "digest": read["digest"],
        "face_check_id": phone.prove_it_is_me(read["digest"]),
        "signature_png_base64": phone.sign(materials.drawn_signature(phone.person.name)),
    }
    return refused(phone.calls, "POST", f"{path}/confirmations", json=form, status=409, code="UNIT_CLAIMED")
