"""Scenario 3: the co-owner refuses; it is over, everybody is told, nothing stays locked."""

from sandbox.demo import cast
from tests.journeys import outcome, ways
from tests.journeys.city import Town
from tests.journeys.problems import refused


def test_a_party_refuses(town: Town):
    city, scene = town.city, town.scene
    cases = city.count("registry_case")
    ways.party_refuses(scene)
    path = scene.application_path
    ended = scene.application(scene.seller)
    assert ended["state"] == "party_refused"
    assert ended["notice"]["reason"] == "价格没有谈妥"
    assert ended["number"] is None
    refused(scene.buyer.calls, "POST", f"{path}/submission", json={}, status=409, code="NOT_AWAITING_CONFIRMATION")
    outcome.become_quiet(city)
    told = city.rows(
        "SELECT recipient FROM notifications_message WHERE template = 'party_refused' AND dedupe_key LIKE ?",
        f"%{scene.application_id}%",
    )
    assert len({row["recipient"] for row in told}) == len(told) == len(cast.PARTIES)
    assert city.count("applications_claim") == 0
    assert city.count("registry_case") == cases
    assert city.count("payments_order", "subject_id = ?", scene.application_id) == 0
