"""The whole way, over HTTP and with real signatures: our trade, the buyer's payment, Alipay's notices, our refunds."""

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
from kit.errors import OutsideError
from kit.http import HttpClient
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.keys import alipay_public_key, app_key
from kit.wallets.alipay.notify import AlipayNotices
from kit.wallets.alipay.signing import AppSigner
from payments import callbacks, queries
from payments.models import Attempt, Order, Refund
from payments.providers.alipay import AlipayPay, AlipayPayNotices
from payments.refund_rules import RefundState
from payments.rules import ALIPAY, WECHAT, AttemptState, Fault, OrderState, TradeState
from sandbox import credentials
from sandbox.server import Running
from sandbox.server import served as sandbox_served
from tests.factories.payments import Till, till
from tests.sandbox.city import City
from tests.support.serving import edge, served

pytestmark = pytest.mark.usefixtures("db")


@dataclass
class Wire:
    """Our house with the real provider, and Alipay's other end; `base` is where our callbacks are."""

    at: Till
    city: City
    running: Running
    base: str
    buyer: str

    @property
    def pay(self) -> Any:
        return self.at.needs.ordering[ALIPAY]

    async def attempt(self) -> tuple[Order, Attempt]:
        order = await self.at.order()
        return order, await self.at.pay(order, openid=self.buyer, wallet=ALIPAY)

    async def tap(self, attempt: Attempt, order: Order) -> None:
        """The payer confirms in the wallet."""
        seen = await queries.attempt(self.at.needs, attempt_id=attempt.id, payer_id=order.payer_id)
        assert seen is not None
        assert seen.client_params is not None
        trade_no = seen.client_params["tradeNO"]
        answer = await self.city.control("POST", "/alipay/pay", person="P3", trade_no=trade_no)
        assert answer["resultCode"] == "9000"

    async def settled(self) -> tuple[Order, Attempt]:
        order, attempt = await self.attempt()
        await self.tap(attempt, order)
        await self.arrived(1)
        await self.at.work()
        assert (await Order.get(id=order.id)).state == OrderState.SETTLED
        return order, attempt

    async def arrived(self, count: int) -> None:
        for _ in range(2000):
            if await rows() >= count:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("no notice arrived")

    async def told(self, attempt: Attempt, **lie: Any) -> httpx.Response | dict[str, Any]:
        return await self.city.control("POST", "/alipay/notify", out_trade_no=attempt.out_trade_no, **lie)

    async def faults(self) -> list[str]:
        return [kept.fault for kept in await queries.discrepancies(self.at.needs)]


async def rows() -> int:
    return len(await fetch("SELECT id FROM kit_inbox"))


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wallet")
    credentials.init(directory)
    return directory


def made(city: City, client: HttpClient, url: str, clock: FixedClock) -> Callable[[str], AlipayPay]:
    signer = AppSigner(city.ids["alipay_app_id"], app_key(city.secret("alipay_app_key.pem")), clock)
    api = AlipayApi(client, f"{url}/alipay/gateway.do", signer, alipay_public_key(city.secret("alipay_public_key.pem")))
    return lambda notify: AlipayPay(api, seller_id=city.ids["alipay_seller_id"], notify_url=notify)


@pytest.fixture
async def wire(keyed: Path, tmp_path: Path) -> AsyncIterator[Wire]:
    shutil.copytree(keyed, tmp_path, dirs_exist_ok=True)
    plain = till(FixedClock(datetime.now(UTC)))
    async with (
        sandbox_served(tmp_path, time_scale=0.001) as running,
        httpx.AsyncClient(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        city, outgoing = City(http, tmp_path / "credentials"), HttpClient("alipay")
        make = made(city, outgoing, running.url, plain.clock)
        opens = AlipayPayNotices(AlipayNotices(alipay_public_key(city.secret("alipay_public_key.pem"))))
        unset = make("http://unset.invalid")
        receiving = plain.through(unset, opens, unset, wallet=ALIPAY).needs
        async with served([callbacks.blueprint(receiving, edge(clock=plain.clock))]) as base:
            pay = make(f"{base}/callbacks/alipay")
            person = running.world.people.get("P3")
            assert person is not None
            yield Wire(plain.through(pay, opens, pay, wallet=ALIPAY), city, running, base, person.alipay_open_id)
        await outgoing.aclose()


async def test_a_notice_delivered_twice_settles_once(wire: Wire) -> None:
    await wire.city.control("POST", "/faults", target="alipay.notify", kind="duplicate")
    order, attempt = await wire.settled()
    again = await wire.told(attempt)
    await wire.at.work()

    assert again == {"status": 200, "body": "success"}
    assert len(wire.at.told) == 1
    assert await wire.faults() == []
    seen = await queries.order_of(wire.at.needs, purpose=order.purpose, subject_id=order.subject_id)
    assert seen is not None
    assert (seen.wallet, seen.paid_at is not None) == (ALIPAY, True)


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ({"total_amount": "0.01"}, Fault.AMOUNT_DIFFERS),
        ({"seller_id": "2088999999999999"}, Fault.MERCHANT_DIFFERS),
        ({"app_id": "2021999999999999"}, Fault.APP_DIFFERS),
        ({"claim_out_trade_no": "0" * 32}, Fault.UNKNOWN_NUMBER),
        ({"trade_status": "TRADE_SOMETHING"}, Fault.NOT_PAID),
        ({"total_amount": "80"}, None),
        ({"total_amount": "8e1"}, Fault.UNREADABLE),
    ],
)
async def test_a_signed_lie_is_kept_and_settles_nothing(wire: Wire, lie: dict[str, Any], fault: Fault | None) -> None:
    order, attempt = await wire.attempt()
    assert (await wire.told(attempt, **lie))["status"] == 200  # type: ignore[index]
    await wire.at.work()
    assert await rows() == 1
    assert await wire.faults() == ([fault] if fault else [])
    assert (await Order.get(id=order.id)).state == (OrderState.OPEN if fault else OrderState.SETTLED)


@pytest.mark.parametrize("forgery", [{"wrong_key": True}, {"reencode": True}, {"drop_sign_type": True}])
async def test_a_forgery_is_refused_and_leaves_no_trace(wire: Wire, forgery: dict[str, Any]) -> None:
    _, attempt = await wire.attempt()
    answer = await wire.told(attempt, **forgery)
    assert answer["status"] == 401  # type: ignore[index]
    assert "success" not in answer["body"]  # type: ignore[index]
    assert await rows() == 0


@pytest.mark.parametrize("body", [b"", b"{}", b"notify_id=1&sign=x&sign_type=RSA2", b"a=%FF", b"sign=&sign_type=RSA2"])
async def test_what_is_no_notice_is_refused(wire: Wire, body: bytes) -> None:
    async with httpx.AsyncClient(base_url=wire.base, trust_env=False) as http:
        answer = await http.post("/callbacks/alipay", content=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "NOTICE_REFUSED")
    assert await rows() == 0


async def test_a_payment_whose_notices_all_got_lost_is_found_by_asking(wire: Wire) -> None:
    await wire.city.control("POST", "/faults", target="alipay.notify", kind="drop", times=0)
    order, attempt = await wire.attempt()
    await wire.tap(attempt, order)
    await wire.at.work(seconds=30)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED


async def test_trades_placed_again_asked_about_and_closed(wire: Wire) -> None:
    order, attempt = await wire.attempt()
    report = await wire.pay.query(attempt.out_trade_no)
    assert (report.amount_fen, report.trade_state) == (8000, TradeState.UNPAID)
    assert await wire.pay.query("0" * 32) is None
    await wire.pay.check_connection()
    assert await wire.pay.close("0" * 32)
    assert await wire.pay.close(attempt.out_trade_no)
    assert await wire.pay.close(attempt.out_trade_no)
    await wire.at.work(seconds=30)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    other = await wire.at.pay(order, openid=wire.buyer, wallet=ALIPAY)
    await wire.tap(other, order)
    assert not await wire.pay.close(other.out_trade_no)


async def test_a_buyer_known_by_number_pays_too(wire: Wire) -> None:
    person = wire.running.world.people.get("P3")
    assert person is not None
    order = await wire.at.order()
    attempt = await wire.at.pay(order, openid=person.alipay_user_id, wallet=ALIPAY)
    await wire.tap(attempt, order)


async def test_a_part_goes_back_and_is_no_second_payment(wire: Wire) -> None:
    order, attempt = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    await wire.at.work()
    await wire.arrived(2)
    await wire.at.work()
    assert (await Refund.get(id=refund.id)).state == RefundState.SUCCEEDED
    assert (len(wire.at.told), len(wire.at.returned)) == (1, 1)
    assert await wire.faults() == []
    (trade,) = (await wire.city.control("GET", "/alipay/trades"))["items"]
    assert [each["amount"] for each in trade["refunds"]] == [3000]
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.PAID


async def test_the_whole_goes_back_and_the_closed_trade_is_no_dispute(wire: Wire) -> None:
    order, attempt = await wire.settled()
    await wire.at.refund(order, 5000)
    await wire.at.refund(order, 3000)
    await wire.at.work()
    await wire.arrived(3)
    await wire.at.work()
    report = await wire.pay.query(attempt.out_trade_no)
    assert report.trade_state is TradeState.REFUNDED
    assert {each.state for each in await Refund.all()} == {RefundState.SUCCEEDED}
    assert await wire.faults() == []


async def test_a_refund_that_is_none_of_ours_is_kept(wire: Wire) -> None:
    _, attempt = await wire.settled()
    trade = wire.running.world.alipay.trades.get(attempt.out_trade_no)
    assert trade is not None
    trade = wire.running.world.alipay.trades.refund(trade, out_request_no="console1", amount=100, reason=None)
    wire.running.world.alipay.announcer.refunded(trade, trade.refunds[-1])
    await wire.arrived(2)
    await wire.at.work()
    assert await wire.faults() == [Fault.UNKNOWN_REFUND]
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.PAID


@pytest.mark.parametrize("fault", [{"kind": "drop", "after": True}, {"kind": "drop"}, {"kind": "wrong_signature"}])
@pytest.mark.parametrize("target", ["alipay.refund", "alipay.refund_query"])
async def test_an_answer_lost_gives_back_once(wire: Wire, target: str, fault: dict[str, Any]) -> None:
    order, attempt = await wire.settled()
    await wire.city.control("POST", "/faults", target=target, **fault)
    if target == "alipay.refund_query":
        await wire.city.control("POST", "/faults", target="alipay.refund", kind="drop", after=True)
    await wire.city.control("POST", "/faults", target="alipay.notify", kind="drop", times=0)
    refund = await wire.at.refund(order, 3000)
    for _ in range(4):
        await wire.at.work(seconds=60)
    assert (await Refund.get(id=refund.id)).state == RefundState.SUCCEEDED
    trade = wire.running.world.alipay.trades.get(attempt.out_trade_no)
    assert trade is not None
    assert trade.refunded == 3000


async def test_a_refund_repeated_says_that_nothing_moved_and_is_asked_about(wire: Wire) -> None:
    order, attempt = await wire.settled()
    refund = await wire.at.refund(order, 3000)
    trade = wire.running.world.alipay.trades.get(attempt.out_trade_no)
    assert trade is not None
    wire.running.world.alipay.trades.refund(trade, out_request_no=refund.out_refund_no, amount=3000, reason=None)
    await wire.at.work()
    assert (await Refund.get(id=refund.id)).state == RefundState.PROCESSING
    await wire.at.work(seconds=10)
    done = await Refund.get(id=refund.id)
    assert (done.state, done.refunded_at is not None) == (RefundState.SUCCEEDED, True)


async def test_a_second_wallet_paying_a_paid_order_is_given_back_in_full(wire: Wire) -> None:
    order, attempt = await wire.attempt()
    rival = await wire.at.pay(order)  # closes the first
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    trade = wire.running.world.alipay.trades.get(attempt.out_trade_no)
    assert trade is not None
    assert trade.status == "TRADE_CLOSED"
    wire.at.wallet.pay(rival.out_trade_no)
    await wire.at.work(seconds=30)
    assert (await Order.get(id=order.id)).state == OrderState.SETTLED
    # However it came about: money under the number that we believed closed.
    await Attempt.filter(id=attempt.id).update(state=AttemptState.READY, next_poll_at=wire.at.clock.now())
    wire.running.world.alipay.announcer.paid(wire.running.world.alipay.trades.pay(trade))
    await wire.arrived(1)
    await wire.at.work()
    await wire.arrived(2)
    await wire.at.work(seconds=10)
    (refund,) = await Refund.all()
    assert (refund.wallet, refund.amount_fen, refund.state) == (ALIPAY, 8000, RefundState.SUCCEEDED)
    assert await wire.faults() == []
    assert [each.wallet for each in await Attempt.filter(order_id=order.id).order_by("id")] == [ALIPAY, WECHAT]


async def test_what_alipay_refuses_for_good_is_permanent(wire: Wire) -> None:
    await wire.city.control(
        "POST", "/faults", target="alipay.trade_query", kind="status", code="isv.insufficient-isv-permissions"
    )
    with pytest.raises(OutsideError) as refused:
        await wire.pay.query("0" * 32)
    assert refused.value.system == "alipay"
