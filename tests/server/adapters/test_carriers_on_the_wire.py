"""The adapters against the sandbox: subscribed, scanned, pushed, recorded, asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from kit.clock import SystemClock
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.outbox.drain import Drain
from sandbox import credentials
from sandbox.server import served as sandbox_served
from server.adapters import carrier_kuaidi100
from server.adapters.carrier_kuaidi100 import PUSH_PATH, Kuaidi100, Kuaidi100Pushes
from server.adapters.carrier_sf import SfExpress
from server.delivery import queries
from tests.factories.deliveries import PostDesk, desk
from tests.support.serving import edge, served

WAYBILL, SF_WAYBILL = "EK123456785CN", "SF1234567890"


@dataclass
class Town:
    """Our door, the carriers on loopback, and their control desk."""

    post: PostDesk
    control: httpx.AsyncClient
    kuaidi100: Kuaidi100
    sf: SfExpress

    async def do(self, path: str, **form: Any) -> dict[str, Any]:
        answer = await self.control.post(f"/_control/carrier/{path}", json=form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def kept(self, count: int) -> None:
        """Until so many pushes have been acknowledged, then worked off."""
        async with asyncio.timeout(60):
            while len(await self._acknowledged()) < count:  # noqa: ASYNC110 - a test may poll
                await asyncio.sleep(0.02)
        await self.post.drain.until_idle()

    async def _acknowledged(self) -> list[Any]:
        items = (await self.control.request("GET", "/_control/carrier/parcels")).json()["items"]
        return [scan for item in items if item["told"] for scan in item["scans"]]


@pytest.fixture
async def town(db: object, tmp_path: Path) -> AsyncIterator[Town]:
    credentials.init(tmp_path)
    given = tmp_path / "credentials"
    ids = json.loads((given / "credentials.json").read_text())
    secret = {name: (given / name).read_text() for name in ("carrier_key", "carrier_salt", "sf_check_word")}
    post = desk(carriers=())
    post = replace(post, needs=replace(post.needs, carriers={}, pushes=Kuaidi100Pushes(secret["carrier_salt"])))
    post.drain = Drain(SimpleNamespace(delivery=post.needs), post.drain.handlers, post.clock)
    # The carriers in the sandbox go by the machine's time.
    post.clock.advance(seconds=(SystemClock().now() - post.clock.now()).total_seconds())
    http, sf_http = HttpClient("kuaidi100"), HttpClient("sf")
    door = carrier_kuaidi100.blueprint(post.needs, edge(clock=post.clock))
    async with (
        sandbox_served(tmp_path, time_scale=0.0001) as running,
        served([door]) as ours,
        httpx.AsyncClient(base_url=running.url, trust_env=False) as control,
    ):
        kuaidi100 = Kuaidi100(
            http,
            base_url=f"{running.url}/kuaidi100",
            customer=ids["carrier_customer"],
            key=secret["carrier_key"],
            salt=secret["carrier_salt"],
            callback_url=ours + PUSH_PATH,
        )
        sf = SfExpress(
            sf_http,
            url=f"{running.url}/sf/std/service",
            partner_id=ids["sf_partner_id"],
            check_word=secret["sf_check_word"],
            clock=post.clock,
        )
        post.needs.carriers.update({"ems": kuaidi100, "shunfeng": sf})  # type: ignore[attr-defined]
        yield Town(post, control, kuaidi100, sf)
    await http.aclose()
    await sf_http.aclose()


async def test_a_parcel_is_watched_from_the_counter_to_the_door(town: Town) -> None:
    post = town.post
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=WAYBILL)
    await post.drain.until_idle()
    assert (await post.order(delivery_id)).watch == "pushed"
    await town.do("advance", waybill=WAYBILL, step="collected")
    await town.kept(1)
    await town.do("advance", waybill=WAYBILL, step="transit", push=False)
    await town.do("advance", waybill=WAYBILL, step="delivering")
    await town.kept(3)
    # An older list, then the newest again, then a forged one, then one about somebody else's parcel.
    older = await town.do("push", waybill=WAYBILL, only=1)
    again = await town.do("push", waybill=WAYBILL)
    forged = await town.do("push", waybill=WAYBILL, wrong_signature=True)
    strange = await town.do("push", waybill=WAYBILL, about="1136281381675")
    assert [each["status"] for each in (older, again, forged, strange)] == [200, 200, 401, 200]
    await post.drain.until_idle()
    assert (await post.order(delivery_id)).state == "delivering"
    await town.do("advance", waybill=WAYBILL, step="signed")
    await town.kept(4)
    done = await post.order(delivery_id)
    assert (done.state, done.signed_by, done.watch, done.attention) == ("signed", "self", "ended", None)
    states = [state for _, state in await post.timeline(delivery_id)]
    assert states == ["signed", "delivering", "transit", "collected"]
    assert [each.waybill for each in await queries.strays(post.needs)] == ["1136281381675"]


async def test_a_push_that_meets_faults_comes_in_the_end(town: Town) -> None:
    post = town.post
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=WAYBILL)
    await post.drain.until_idle()
    for kind in ("drop", "wrong_signature", "duplicate"):
        fault = {"target": "carrier.notify", "kind": kind}
        assert (await town.control.post("/_control/faults", json=fault)).status_code == 200
    await town.do("advance", waybill=WAYBILL, step="collected")
    await town.kept(1)
    assert (await post.order(delivery_id)).state == "collected"


async def test_a_number_that_was_another_carriers(town: Town) -> None:
    post = town.post
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=WAYBILL)
    await post.drain.until_idle()
    await town.do("advance", waybill=WAYBILL, step="collected")
    await town.kept(1)
    await town.do("correct", waybill=WAYBILL, company="youzhengguonei")
    await town.do("advance", waybill=WAYBILL, step="delivering")
    await town.kept(1)
    moved = await post.order(delivery_id)
    assert (moved.carrier, moved.state) == ("youzhengguonei", "delivering")
    assert len(await post.timeline(delivery_id)) == 1


async def test_asking_and_giving_up(town: Town) -> None:
    post = town.post
    delivery_id = await post.asked()
    await post.send(delivery_id, waybill=WAYBILL)
    await post.drain.until_idle()
    await town.do("advance", waybill=WAYBILL, step="problem", push=False)
    post.clock.advance(seconds=12 * 3600)
    await post.drain.until_idle()
    asked = await post.order(delivery_id)
    assert (asked.state, asked.attention) == ("problem", "problem")
    await town.do("abort", waybill=WAYBILL)
    await town.kept(1)
    assert (await post.order(delivery_id)).attention == "silent"


async def test_sf_is_asked_for_its_routes(town: Town) -> None:
    post = town.post
    delivery_id = await post.asked()
    await post.send(delivery_id, carrier="shunfeng", waybill=SF_WAYBILL)
    await post.drain.until_idle()
    assert (await post.order(delivery_id)).watch == "polled"
    await town.do("advance", waybill=SF_WAYBILL, company="shunfeng", step="collected")
    await town.do("advance", waybill=SF_WAYBILL, step="delivering")
    post.clock.advance(seconds=2 * 3600)
    await post.drain.until_idle()
    assert (await post.order(delivery_id)).state == "delivering"
    assert [state for _, state in await post.timeline(delivery_id)] == ["delivering", "collected"]


async def test_wrong_secrets_are_refused_for_good(town: Town) -> None:
    from server.delivery.ports import Parcel

    town.kuaidi100._key = "another"
    town.sf._check_word = "another"
    with pytest.raises(OutsideError) as key:
        await town.kuaidi100.subscribe(Parcel("ems", WAYBILL, ""))
    with pytest.raises(OutsideError) as sign:
        await town.kuaidi100.query(Parcel("ems", WAYBILL, ""))
    with pytest.raises(OutsideError) as digest:
        await town.sf.query(Parcel("shunfeng", SF_WAYBILL, "13900001234"))
    assert [(each.value.code, each.value.permanent) for each in (key, sign, digest)] == [
        ("CODE_600", True),
        ("CODE_503", True),
        ("A1006", True),
    ]
