"""The worker killed before and after every handler: the case finishes once all the same.

One row at a time is worked on, so that it is the planned row that dies: a message on its way to WeChat at that moment
would rightly be sent again.
"""

import pytest

from sandbox.demo import filing
from server.journeys.handlers import handlers_of
from tests.journeys import outcome, ways
from tests.journeys.city import Build, City
from tests.journeys.mortal import Mortal

# Not on the way of scenario 1; `ways` leads to each of them.
ASIDE = frozenset(
    {
        "telling.party_refused",
        "telling.correction_asked",
        "telling.refused",
        "telling.expired",
        "relay.forward_withdrawal",
        "registering.issue_released",
    }
)
ON_THE_WAY = [handler.name for handler in handlers_of("all") if handler.name not in ASIDE]
FIVE = ["relay.forward_package", "registry.record", "payments.settle_notice", "registering.issue", "relay.record"]


def points(names: list[str]) -> list[str]:
    return [f"{moment}:{name}" for name in names for moment in ("before", "after")]


def test_every_handler_is_on_the_way_or_aside():
    names = {handler.name for handler in handlers_of("all")}
    assert names == ASIDE | set(ON_THE_WAY)
    assert names >= ASIDE


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("dialect", "names"),
    [pytest.param("mariadb", ON_THE_WAY, id="mariadb-every"), pytest.param("sqlite", FIVE, id="sqlite-five")],
)
def test_killed_before_and_after_each_handler(build: Build, dialect: str, names: list[str]):
    with build(dialect, concurrency=1) as city, city.scene() as scene:
        _drain(city)  # the seeded certificates: it is the journey's rows that are to die
        with Mortal(city, points(names)) as worker:
            outcome.play(scene)
            outcome.come_to_rest(city)
            worker.await_all()
            outcome.finished_once(city, scene)
        assert sorted(worker.died_at) == sorted(points(names))


@pytest.mark.timeout(300)
def test_killed_before_and_after_the_handlers_aside(build: Build):
    with build("mariadb", concurrency=1) as city, city.scene() as scene:
        _drain(city)
        with Mortal(city, points(sorted(ASIDE))) as worker:
            filing.log_in(scene)
            scene.officer.sign_in()
            ways.forgotten(scene)
            ways.party_refuses(scene)
            ways.withdrawn_before_acceptance(scene)
            ways.corrected_then_refused(scene)
            ways.entered_before_the_fee(scene)
            city.move_clock(ways.LONG_ENOUGH_TO_EXPIRE)
            worker.await_all()
            outcome.come_to_rest(city)
        assert sorted(worker.died_at) == sorted(points(sorted(ASIDE)))
        _aside_once(city)


def _aside_once(city: City) -> None:
    states = [row["state"] for row in city.rows("SELECT state FROM applications_application ORDER BY id")]
    assert states == ["expired", "party_refused", "withdrawn", "refused", "certificate_made"]
    cases = [row["state"] for row in city.rows("SELECT state FROM registry_case ORDER BY id")]
    assert cases == ["withdrawn", "refused", "entered"]
    for template, told in (
        ("party_refused", 3),
        ("correction_asked", 3),
        ("case_refused", 3),
        ("certificate_ready", 1),
        ("application_expired", 1),
    ):
        assert city.count("notifications_message", "template = ?", template) == told, template
    assert city.count("payments_settlement") == 1
    assert city.count("certificates_issued", "case_id IN (SELECT id FROM registry_case)") == 1


def _drain(city: City) -> None:
    outcome.come_to_rest(city)
