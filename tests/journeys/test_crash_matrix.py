"""The worker killed before and after every handler: the case finishes once all the same.

One row at a time is worked on, so that it is the planned row that dies: a message on its way to WeChat at that moment
would rightly be sent again.
"""

import contextlib

import pytest

from sandbox.demo import cast, filing
from sandbox.demo.scene import Scene
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
        "fees.call_off",
        "telling.expired",
        "relay.forward_withdrawal",
        "registering.issue_released",
        "appointments.clear_day",
        "telling.appointment_office_closed",
        "payments.refund",
        "telling.refund_settled",
        "payments.fetch_bill",
        "delivery.poll",
        "telling.wallet_joined",
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


@pytest.mark.parametrize(
    ("dialect", "wallet", "names"),
    [
        pytest.param("mariadb", "wechat", ON_THE_WAY, id="mariadb-every"),
        pytest.param("sqlite", "alipay", FIVE, id="sqlite-five"),
    ],
)
def test_killed_before_and_after_each_handler(build: Build, dialect: str, wallet: str, names: list[str]):
    with build(dialect, concurrency=1) as city, city.scene(wallet=wallet) as scene:
        _drain(city)  # the seeded certificates: it is the journey's rows that are to die
        with Mortal(city, points(names)) as worker:
            outcome.play(scene)
            outcome.come_to_rest(city)
            worker.await_all()
            outcome.finished_once(city, scene)
        assert sorted(worker.died_at) == sorted(points(names))


def test_killed_before_and_after_the_handlers_aside(build: Build):
    with build("mariadb", concurrency=1) as city, city.scene() as scene:
        _drain(city)
        finance = city.finance(scene.journey)
        with contextlib.closing(finance.calls), Mortal(city, points(sorted(ASIDE))) as worker:
            filing.log_in(scene)
            scene.officer.sign_in()
            ways.forgotten(scene)
            ways.party_refuses(scene)
            ways.withdrawn_before_acceptance(scene)
            ways.corrected_then_refused(scene)
            ways.entered_before_the_fee(scene)
            ways.office_closes(scene)
            ways.partly_refunded(scene, finance)
            ways.parcel_of_which_nothing_is_told(scene)
            other = city.phone(cast.CO_SELLER, scene.journey, scene.outside, wallet="alipay")
            with contextlib.closing(other.calls):
                ways.second_wallet(scene, other)
            outcome.come_to_rest(city)
            outcome.half_a_day_passes(city)
            outcome.bill_matches(city, wallet="wechat", paid_fen=cast.FEE_FEN, refunded_fen=ways.REFUND_FEN)
            city.move_clock(ways.LONG_ENOUGH_TO_EXPIRE)
            worker.await_all()
            outcome.come_to_rest(city)
        assert sorted(worker.died_at) == sorted(points(sorted(ASIDE)))
        _aside_once(city)
        _money_back_once(city, scene)


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
        ("appointment_office_closed", 1),
        ("refund_settled", 1),
        ("delivery_dispatched", 1),
        ("delivery_signed", 1),
        ("wallet_joined", 1),
    ):
        assert city.count("notifications_message", "template = ?", template) == told, template
    assert city.count("payments_settlement") == 1
    assert city.count("certificates_issued", "case_id IN (SELECT id FROM registry_case)") == 1
    _visit_and_parcel_once(city)


def _visit_and_parcel_once(city: City) -> None:
    assert [row["state"] for row in city.rows("SELECT state FROM appointments_booking")] == ["cancelled"]
    assert city.count("appointments_slot", "booked <> 0") == 0
    assert city.count("appointments_closure", "reason = ? AND cleared_at IS NOT NULL", ways.CLOSED_FOR) == 1
    parcels = city.rows("SELECT state, signed_by, queried_at FROM delivery_order")
    assert [(row["state"], row["signed_by"], bool(row["queried_at"])) for row in parcels] == [("signed", "self", True)]
    assert city.count("delivery_event") == 3


def _money_back_once(city: City, scene: Scene) -> None:
    """To the fen in our books, and at the wallet, which was asked for one refund."""
    refunds = city.rows("SELECT state, amount_fen, out_refund_no FROM payments_refund")
    assert [(row["state"], row["amount_fen"]) for row in refunds] == [("succeeded", ways.REFUND_FEN)]
    assert city.count("payments_discrepancy") == 0
    given = scene.outside.look("/pay/refunds")
    assert [(each["out_refund_no"], each["amount"], each["status"]) for each in given] == [
        (refunds[0]["out_refund_no"], ways.REFUND_FEN, "SUCCESS")
    ]
    parcels = scene.outside.look("/carrier/parcels")
    assert [each["queries"] for each in parcels] == [1], "a carrier that is asked twice within half an hour locks"


def _drain(city: City) -> None:
    outcome.come_to_rest(city)
