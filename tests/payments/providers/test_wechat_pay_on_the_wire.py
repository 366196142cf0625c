"""The whole way, over HTTP and with real signatures: our order, the wallet's payment, its notice to our callback."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit.clock import FixedClock
from kit.db import fetch
from kit.http import HttpClient
from kit.outbox.queries import parked
from kit.wallets.wechat.pay.callback import PayNotices
from kit.wallets.wechat.pay.client import PayTransport
from kit.wallets.wechat.pay.keys import merchant_key, platform_keys
from kit.wallets.wechat.pay.signing import MerchantSigner
from payments import callbacks, queries
from payments.models import Attempt, Order, Refund
from payments.providers.wechat_pay import WechatPay, WechatPayNotices
from payments.refund_rules import RefundState
from payments.rules import AttemptState, Fault, OrderState, TradeState
from sandbox import credentials
from sandbox.server import served as sandbox_served
from tests.factories.payments import Till, till
from tests.sandbox.city import City
from tests.support.serving import edge, served

pytestmark = pytest.mark.usefixtures("db")


@dataclass
class Wire:
    """Our house with the real provider, and the wallet's other end."""

    at: Till
    city: City
    openid: str

    async def order_and_attempt(self) -> tuple[Order, Attempt]:
        order = await self.at.order()
        return order, await self.at.pay(order, openid=self.openid)

    async def tap(self, attempt: Attempt, order: Order) -> None:
        """The payer confirms in the wallet."""
        seen = await queries.attempt(self.at.needs, attempt_id=attempt.id, payer_id=order.payer_id)
        assert seen is not None
        assert seen.client_params is not None
        answer = await self.city.control("POST", "/wx/pay", person="P3", **seen.client_params)
        assert answer["result"] == "ok"

    async def settled(self) -> tuple[Order, Attempt]:
        order, attempt = await self.order_and_attempt()
        await self.tap(attempt, order)
        await self.at.work(seconds=30)
        return order, attempt

    async def hold(self, *, on: bool = True) -> None:
        await self.city.control("POST", "/pay/refunds", hold=on)

    async def ended(self, refund: Refund, outcome: str = "success") -> None:
        await self.city.control("POST", "/pay/refund", out_refund_no=refund.out_refund_no, outcome=outcome)

    async def arrived(self, count: int) -> None:
        for _ in range(2000):
            if len(await fetch("SELECT id FROM kit_inbox")) >= count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("no notice arrived")


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wallet")
    credentials.init(directory)
    return directory


@pytest.fixture
async def wire(keyed: Path, tmp_path: Path) -> AsyncIterator[Wire]:
    shutil.copytree(keyed, tmp_path, dirs_exist_ok=True)
    plain = till(FixedClock(datetime.now(UTC)))
    async with (
        sandbox_served(tmp_path, time_scale=0.001) as running,
        httpx.AsyncClient(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        city, outgoing = City(http, tmp_path / "credentials"), HttpClient("wechat_pay")
        made, opens = real(city, outgoing, running.url, plain.clock), notices(city, plain.clock)
        receiving = plain.through(made("http://unset.invalid"), opens).needs
        async with served([callbacks.blueprint(receiving, edge(clock=plain.clock))]) as base:
            pay = made(f"{base}/callbacks/wechat_pay")
            at = plain.through(pay, opens, pay)
            person = running.world.people.get("P3")
            assert person is not None
            yield Wire(at, city, person.openid)
        await outgoing.aclose()


def keys_of(city: City) -> Any:
    return platform_keys({city.ids["wechatpay_public_key_id"]: city.secret("wechatpay_public_key.pem")})


def real(city: City, client: HttpClient, url: str, clock: FixedClock) -> Callable[[str], WechatPay]:
    key = merchant_key(city.secret("merchant_key.pem"))
    signer = MerchantSigner(city.ids["mchid"], city.ids["merchant_serial"], key, clock)
    key_id = city.ids["wechatpay_public_key_id"]
    transport = PayTransport(client, f"{url}/wechatpay", signer=signer, keys=keys_of(city), key_id=key_id, clock=clock)
    return lambda notify: WechatPay(transport, signer, app_id=city.ids["app_id"], notify_url=notify)


def notices(city: City, clock: FixedClock) -> WechatPayNotices:
    return WechatPayNotices(PayNotices(keys_of(city), city.secret("apiv3_key"), clock))


async def test_a_notice_delivered_twice_settles_once(wire: Wire) -> None:
    await wire.city.control("POST", "/faults", target="pay.notify", kind="duplicate")
    order, attempt = await wire.order_and_attempt()
    await wire.tap(attempt, order)
    await wire.arrived(1)
    await wire.at.work()
    again = await wire.city.control("POST", "/pay/notify", out_trade_no=attempt.out_trade_no)
    await wire.at.work()

    assert again["status"] == 204
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert len(wire.at.told) == 1
    assert await queries.discrepancies(wire.at.needs) == []


async def test_a_clock_that_leaps_hides_no_payment(wire: Wire) -> None:
    order, attempt = await wire.order_and_attempt()
    await wire.city.control("POST", "/clock", advance_seconds=400)
    await wire.tap(attempt, order)
    await wire.at.work(seconds=30)
    assert await parked() == []
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.READY

    await wire.at.work(seconds=400)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    assert len(wire.at.told) == 1


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ({"amount_fen": 1}, Fault.AMOUNT_DIFFERS),
        ({"mchid": "1900000999"}, Fault.MERCHANT_DIFFERS),
        ({"appid": "wxanother"}, Fault.APP_DIFFERS),
    ],
)
async def test_a_signed_lie_is_kept_and_settles_nothing(wire: Wire, lie: dict[str, Any], fault: Fault) -> None:
    order, attempt = await wire.order_and_attempt()
    answer = await wire.city.control("POST", "/pay/notify", out_trade_no=attempt.out_trade_no, **lie)
    await wire.at.work()
    assert answer["status"] == 204
    assert [kept.fault for kept in await queries.discrepancies(wire.at.needs)] == [fault]
    assert (await Order.get(id=order.id)).state == OrderState.OPEN


@pytest.mark.parametrize("forgery", [{"wrong_key": True}, {"stale_seconds": 360}, {"signtest": True}])
async def test_a_forgery_is_refused(wire: Wire, forgery: dict[str, Any]) -> None:
    _, attempt = await wire.order_and_attempt()
    answer = await wire.city.control("POST", "/pay/notify", out_trade_no=attempt.out_trade_no, **forgery)
    assert answer["status"] == 401
    assert await fetch("SELECT id FROM kit_inbox") == []


async def test_a_payment_whose_notices_all_got_lost_is_found_by_asking(wire: Wire) -> None:
    await wire.city.control("POST", "/faults", target="pay.notify", kind="drop", times=0)
    order, attempt = await wire.order_and_attempt()
    await wire.tap(attempt, order)
    await wire.at.work(seconds=30)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED


async def test_an_order_posted_again_and_one_that_is_closed(wire: Wire) -> None:
    order, attempt = await wire.order_and_attempt()
    await Attempt.filter(id=attempt.id).update(state=AttemptState.PREPARING, client_params=None)
    ordering = wire.at.needs.ordering["wechat"]
    report = await ordering.query(attempt.out_trade_no)
    assert report is not None
    assert (report.amount_fen, report.trade_state) == (8000, "unpaid")
    assert await ordering.query("0" * 32) is None
    assert await ordering.close(attempt.out_trade_no)
    assert await ordering.close(attempt.out_trade_no)
    await wire.at.work(seconds=30)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    other = await wire.at.pay(order, openid=wire.openid)
    await wire.tap(other, order)
    assert not await ordering.close(other.out_trade_no)


async def test_a_refund_taken_on_is_no_success_until_the_wallet_says_so(wire: Wire) -> None:
    await wire.hold()
    order, attempt = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    await wire.at.work()
    assert (await Refund.get(id=refund.id)).state == RefundState.PROCESSING
    assert wire.at.returned == []
    report = await wire.at.needs.ordering["wechat"].query(attempt.out_trade_no)
    assert report is not None
    assert report.trade_state is TradeState.REFUNDED

    before = len(await fetch("SELECT id FROM kit_inbox"))
    await wire.ended(refund)
    await wire.arrived(before + 1)
    await wire.at.work()
    done = await Refund.get(id=refund.id)
    assert (done.state, done.wallet_refund_id.startswith("5030")) == (RefundState.SUCCEEDED, True)
    assert len(wire.at.returned) == 1
    assert await queries.discrepancies(wire.at.needs) == []


async def test_a_refund_whose_notices_got_lost_is_found_by_asking(wire: Wire) -> None:
    await wire.city.control("POST", "/faults", target="pay.refund_notify", kind="drop", times=0)
    order, _ = await wire.settled()
    refund = await wire.at.refund(order, 8000)
    for _ in range(3):
        await wire.at.work(seconds=60)
    assert (await Refund.get(id=refund.id)).state == RefundState.SUCCEEDED


@pytest.mark.parametrize(("outcome", "fault"), [("abnormal", Fault.REFUND_ABNORMAL), ("closed", Fault.REFUND_CLOSED)])
async def test_a_refund_that_ends_badly_is_for_staff(wire: Wire, outcome: str, fault: Fault) -> None:
    await wire.hold()
    order, _ = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    await wire.at.work()
    await wire.ended(refund, outcome)
    await wire.at.work(seconds=10)
    assert (await Refund.get(id=refund.id)).state == outcome
    assert [kept.fault for kept in await queries.discrepancies(wire.at.needs)] == [fault]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "after": True},
        {"kind": "drop"},
        {"kind": "wrong_signature"},
        {"kind": "status", "status": 500, "code": "SYSTEM_ERROR"},
        {"kind": "status", "status": 429, "code": "FREQUENCY_LIMITED"},
    ],
)
@pytest.mark.parametrize("target", ["pay.refund", "pay.refund_query"])
async def test_an_answer_lost_or_refused_for_now_gives_back_once(
    wire: Wire, target: str, fault: dict[str, Any]
) -> None:
    await wire.city.control("POST", "/faults", target="pay.refund_notify", kind="drop", times=0)
    await wire.city.control("POST", "/faults", target=target, **fault)
    order, attempt = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    for _ in range(4):
        await wire.at.work(seconds=60)
    assert (await Refund.get(id=refund.id)).state == RefundState.SUCCEEDED
    books = (await wire.city.control("GET", "/pay/refunds"))["items"]
    assert [(each["out_refund_no"], each["amount"], each["out_trade_no"]) for each in books] == [
        (refund.out_refund_no, 3000, attempt.out_trade_no)
    ]


async def test_a_balance_too_short_is_shown_and_asked_again_later(wire: Wire) -> None:
    await wire.city.control("POST", "/faults", target="pay.refund", kind="status", status=403, code="NOT_ENOUGH")
    order, _ = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    await wire.at.work()
    assert (await Refund.get(id=refund.id)).refusal == "NOT_ENOUGH"
    assert [kept.fault for kept in await queries.discrepancies(wire.at.needs)] == [Fault.REFUND_REFUSED]


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ({"claim_out_refund_no": "0" * 32}, Fault.UNKNOWN_REFUND),
        ({"claim_out_trade_no": "0" * 32}, Fault.UNKNOWN_REFUND),
        ({"mchid": "1900000999"}, Fault.MERCHANT_DIFFERS),
        ({"amount_fen": 1}, Fault.REFUND_DIFFERS),
        ({"claim_outcome": "success"}, None),
    ],
)
async def test_a_signed_lie_about_a_refund_moves_nothing(wire: Wire, lie: dict[str, Any], fault: Fault | None) -> None:
    await wire.hold()
    order, _ = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    await wire.at.work()
    answer = await wire.city.control("POST", "/pay/refund_notify", out_refund_no=refund.out_refund_no, **lie)
    await wire.at.work()
    assert answer["status"] == 204
    assert (await Refund.get(id=refund.id)).state == RefundState.PROCESSING
    assert [kept.fault for kept in await queries.discrepancies(wire.at.needs)] == ([fault] if fault else [])


@pytest.mark.parametrize("forgery", [{"wrong_key": True}, {"stale_seconds": 360}, {"signtest": True}])
async def test_a_forged_refund_notice_is_refused(wire: Wire, forgery: dict[str, Any]) -> None:
    await wire.hold()
    order, _ = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    await wire.at.work()
    before = await fetch("SELECT id FROM kit_inbox")
    answer = await wire.city.control("POST", "/pay/refund_notify", out_refund_no=refund.out_refund_no, **forgery)
    assert answer["status"] == 401
    assert await fetch("SELECT id FROM kit_inbox") == before
