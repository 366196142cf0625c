"""Scenario 1: the resale of H1 by its two co-owners, from login to a certificate that verifies and arrives."""

import pytest

from sandbox.demo import cast
from sandbox.phones.journey import CallMade
from tests.journeys import outcome, strangers
from tests.journeys.city import Build


@pytest.mark.parametrize(("dialect", "wallet"), [("sqlite", "wechat"), ("mariadb", "wechat"), ("mariadb", "alipay")])
def test_resale_of_h1_by_its_two_owners(build: Build, dialect: str, wallet: str):
    with build(dialect) as city, city.scene(wallet=wallet) as scene:
        outcome.play(scene)
        outcome.finished_once(city, scene)
        outcome.bill_matches(city, wallet=wallet, paid_fen=cast.FEE_FEN)
        strangers.reach_nothing(city, scene)
        assert _expected_refusals(scene.journey.calls) == [("/entry", 409, "TAX_NOT_CLEARED")]
        city.stop("worker")
        city.stop("server")
        outcome.nothing_in_clear(city, scene)


def _expected_refusals(calls: list[CallMade]) -> list[tuple[str, int, str | None]]:
    return [("/" + call.path.rsplit("/", 1)[1], call.status, call.code) for call in calls if call.status >= 400]
