"""The server killed during every POST of the journey; the phones ask again under the same key until answered."""

import contextlib
import os
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from signal import SIGKILL

import pytest

from sandbox.demo import office, posting
from sandbox.demo.scene import Scene
from tests.journeys import outcome, ways
from tests.journeys.city import Build, City
from tests.journeys.patience import PatientCaller, lost_on_its_way

_LONGEST_SECONDS = 0.040
_START_SECONDS = 5.0  # of a processor


@dataclass
class Killer:
    """Kills the server at a seeded moment within 40 ms of each POST's sending, and starts it again."""

    city: City
    dice: random.Random
    killed: list[str] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    outrun: int = 0

    @contextlib.contextmanager
    def around(self, method: str, path: str) -> Iterator[None]:
        if method != "POST":
            yield
            return
        moment = self.dice.uniform(0, _LONGEST_SECONDS)
        thread = threading.Thread(target=self._kill_and_restart, args=(moment, f"{method} {path}"))
        thread.start()
        try:
            yield
        finally:
            thread.join()

    @contextlib.contextmanager
    def cutting_off(self, method: str, path: str) -> Iterator[None]:
        """The same around a phone's call.

        Every second answer that was faster than the kill is lost on its way: so that, on any machine, at least half of
        the calls are asked again, some of which had been done.
        """
        with self.around(method, path):
            yield
        if method == "POST":
            self.outrun += 1
            if self.outrun % 2:
                raise lost_on_its_way()

    def _kill_and_restart(self, moment: float, call: str) -> None:
        time.sleep(moment)
        os.kill(self.city.pids["server"], SIGKILL)
        self.killed.append(call)
        self.city.kill("server")
        self.starts.append(self.city.start_server())


@pytest.mark.parametrize(("dialect", "wallet"), [("sqlite", "alipay"), ("mariadb", "wechat")])
def test_killed_during_every_post(build: Build, dialect: str, wallet: str):
    with build(dialect) as city, city.scene(wallet=wallet) as scene:
        dice = random.Random(f"server killed, {dialect}")  # noqa: S311 - seeded, so that a failure can be repeated
        killer = Killer(city, dice)
        callers = _callers(scene)
        for caller in callers:
            caller.disturb = killer.cutting_off
        outcome.play(scene)
        outcome.finished_once(city, scene)
        posts = {call.path for call in scene.journey.calls if call.method == "POST"}
        assert {call.removeprefix("POST ") for call in killer.killed} >= posts
        lost = [call for caller in callers for call in caller.lost]
        assert len(lost) >= len(killer.killed) / 2, f"{len(lost)} of {len(killer.killed)} calls were cut off"
        assert statistics.median(killer.starts) < _START_SECONDS, sorted(killer.starts)


@pytest.mark.parametrize(("dialect", "wallet"), [("sqlite", "alipay"), ("mariadb", "wechat")])
def test_killed_during_the_partners_callbacks(build: Build, dialect: str, wallet: str):
    """They tell again on their own schedule until we acknowledge; what they told counts once."""
    with build(dialect) as city, city.scene(wallet=wallet) as scene:
        for act in outcome.UNTIL_THE_FEE:
            act(scene)
        killer = Killer(city, random.Random("callbacks"))  # noqa: S311 - seeded
        _pay(scene, killer)
        declared = scene.journey.wait_for("the declaration", lambda: office._declaration(scene))
        with killer.around("POST", "/callbacks/tax"):
            scene.outside.do("/tax/pay", declaration_no=declared["declaration_no"])
        scene.journey.wait_for("the tax to be cleared", lambda: office._tax_passed(scene))
        scene.officer.decide("enter", scene.case_id, "entry")
        scene.journey.wait_for("the certificate", lambda: scene.application(scene.buyer)["certificate_id"])
        if wallet == "wechat":
            _refund(city, scene, killer)
        _post(scene, killer)
        wanted = {"alipay": (1, 0, 1), "wechat": (0, 2, 1)}[wallet]
        # Asking may have found out first: the notice is repeated all the same until it is acknowledged.
        scene.journey.wait_for("every notice", lambda: _heard(city) == wanted or None)
        outcome.come_to_rest(city)
        assert len(killer.killed) == (4 if wallet == "alipay" else 5)
        _counted_once(city, refunds=int(wallet == "wechat"))
        assert _heard(city) == wanted
        assert city.count("kit_inbox", "system = 'kuaidi100'") in {1, 2}, "the same list twice is one"


def _heard(city: City) -> tuple[int, int, int]:
    heard = Counter(row["system"] for row in city.rows("SELECT system FROM kit_inbox"))
    return heard["alipay"], heard["wechat_pay"], heard["tax"]


def _pay(scene: Scene, killer: Killer) -> None:
    wallet = scene.buyer.wallet
    path = f"{scene.application_path}/payments"
    order = scene.buyer.calls.post("pay", path, {"wallet": wallet}, expect=201)
    with killer.around("POST", f"/callbacks/{wallet}"):
        scene.buyer.pay(order["client_params"])
    scene.journey.wait_for("the payment", lambda: _fee(scene) == "settled" or None)


def _refund(city: City, scene: Scene, killer: Killer) -> None:
    """The wallet takes its time, and then tells while nobody listens."""
    scene.outside.do("/pay/refunds", hold=True)
    finance = city.finance(scene.journey)
    with contextlib.closing(finance.calls):
        ways.ask_for_refund(scene, finance)
    taken = scene.journey.wait_for("the refund at the wallet", lambda: scene.outside.look("/pay/refunds") or None)
    with killer.around("POST", "/callbacks/wechat_pay"):
        scene.outside.do("/pay/refund", out_refund_no=taken[0]["out_refund_no"])
    scene.journey.wait_for("the refund to be heard of", lambda: _refunded(city))


def _post(scene: Scene, killer: Killer) -> None:
    """A push that is lost is in the next one, which holds all lines."""
    ways.posted(scene)
    for step in ("collected", "signed"):
        with killer.around("POST", "/callbacks/carrier"):
            scene.outside.do("/carrier/advance", waybill=posting.WAYBILL, step=step)
    scene.outside.do("/carrier/push", waybill=posting.WAYBILL)


def _counted_once(city: City, *, refunds: int) -> None:
    assert city.count("payments_settlement") == 1
    assert city.count("payments_discrepancy") == 0
    assert city.count("payments_refund") == city.count("payments_refund", "state = 'succeeded'") == refunds
    assert [row["state"] for row in city.rows("SELECT state FROM delivery_order")] == ["signed"]
    assert city.count("delivery_event") == 2


def _refunded(city: City) -> bool | None:
    return city.count("payments_refund", "state = 'succeeded'") == 1 or None


def _fee(scene: Scene) -> str:
    return str(scene.application(scene.buyer)["fee"]["state"])


def _callers(scene: Scene) -> list[PatientCaller]:
    desks = (scene.officer, scene.clerk)
    found = [*(each.calls for each in (*scene.phones.values(), *desks)), scene.passer_by]
    return [each for each in found if isinstance(each, PatientCaller)]
