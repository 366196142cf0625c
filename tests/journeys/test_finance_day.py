"""Two days of a city's finance: paid in both wallets, paid twice, given back, around midnight; and the bills of it.

Server, worker and partners are processes of their own; the orders are placed beside them, by the same services.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from time import monotonic, sleep
from typing import Any

import pytest

from kit.clock import SHANGHAI
from kit.db.connection import database
from kit.idempotency import once
from kit.idempotency.service import new_key
from kit.ids import new_id
from payments import queries, service
from payments.models import Attempt
from payments.ports import Needs
from payments.queries import AttemptView
from payments.rules import AttemptState, Line
from sandbox.demo import cast
from sandbox.phones.handset import Handset
from sandbox.phones.officer import STAFF
from server import wiring
from server.database import APPS
from server.settings import read
from tests.journeys import outcome
from tests.journeys.city import Build, City, patient_journey
from tests.journeys.patience import PatientDesk

FEE = (Line("registration", "不动产登记费", 8000),)
WECHAT, ALIPAY = "wechat", "alipay"
PATIENCE_SECONDS = 120.0
_numbers = count(1)


class Till:
    """Places orders at the wallets, and lets people pay them on their phones."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.journey, self.outside = patient_journey(), city.outside()
        self.phones: dict[str, Handset] = {
            wallet: city.phone(cast.BUYER, self.journey, self.outside, wallet=wallet) for wallet in (WECHAT, ALIPAY)
        }

    def do(self, command: Callable[[Needs], Awaitable[Any]]) -> Any:
        async def done() -> Any:
            settings = read(self.city.house.settings_file)
            built = wiring.build(settings, seal=False)
            async with database(wiring.connection(settings), APPS):
                try:
                    return await command(built.house.payments)
                finally:
                    await built.close()

        return asyncio.run(done())

    def placed(self, *wallets: str) -> list[AttemptView]:
        """An order with a number at each of the wallets, of which none knows of the others."""
        payer = new_id()

        async def place(needs: Needs) -> list[AttemptView]:
            order_id = await service.open_order(needs, purpose="test", subject_id=new_id(), payer_id=payer, lines=FEE)
            found = []
            for wallet in wallets:
                # As if the wallet had said that it closed the number, and had not.
                await Attempt.filter(order_id=order_id).update(state=AttemptState.CLOSED.value)
                attempt_id = await self._pay(needs, order_id, payer, wallet)
                attempt = await queries.attempt(needs, attempt_id=attempt_id, payer_id=payer)
                assert attempt is not None
                found.append(attempt)
            return found

        found: list[AttemptView] = self.do(place)
        return found

    async def _pay(self, needs: Needs, order_id: str, payer: str, wallet: str) -> str:
        key = new_key(who="resident:x", route="POST", key=new_id(), digest="0" * 64, clock=needs.clock)
        address = cast.BUYER.openid if wallet == WECHAT else cast.BUYER.alipay_open_id
        done = await once(
            key,
            lambda claimed: service.pay(
                needs,
                order_id=order_id,
                payer_id=payer,
                payer_address=address,
                wallet=wallet,
                description="不动产登记费",
                key=claimed,
            ),
            status=201,
            calls_outside=True,
        )
        return done.result_id

    def paid(self, *wallets: str) -> str:
        """An order that its payer has paid, in each of the wallets; its id."""
        attempts = self.placed(*wallets)
        for attempt in attempts:
            self.phones[attempt.wallet].pay(attempt.client_params or {})
            self._await_settlement(attempt.order_id)  # what is paid after this is the second payment, and goes back
        outcome.come_to_rest(self.city)
        assert self.city.count("payments_settlement", "order_id = ?", attempts[0].order_id) == 1
        return attempts[0].order_id

    def _await_settlement(self, order_id: str) -> None:
        deadline = monotonic() + PATIENCE_SECONDS
        while not self.city.count("payments_settlement", "order_id = ?", order_id):
            assert monotonic() < deadline, "no notice settled it"
            sleep(0.02)

    def close(self) -> None:
        for phone in self.phones.values():
            phone.calls.close()
        self.outside.close()


def now(city: City) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=city.offset_seconds)).astimezone(SHANGHAI)


def move_to(city: City, day: date, at: time) -> None:
    city.move_clock((datetime.combine(day, at, SHANGHAI) - now(city)).total_seconds())


def reconciled(city: City, day: date) -> tuple[int, str]:
    """What `yichuang reconcile` ends with, and prints."""
    log = city.log(f"reconcile-{next(_numbers)}")
    settings = str(city.house.settings_file)
    pid = city.nursery.start("--settings", settings, "reconcile", "--day", day.isoformat(), log=log)
    deadline = monotonic() + PATIENCE_SECONDS
    while (status := city.nursery.status(pid)) is None:
        assert monotonic() < deadline
        sleep(0.02)
    return status, log.read_text(encoding="utf-8")


def bills_of(city: City, finance: PatientDesk, day: date) -> dict[str, dict[str, Any]]:
    """The day's bills once the worker's timer has brought them and they were held against our books, by wallet."""
    outcome.become_quiet(city)  # no more: a bill that differs is looked at again in six hours
    deadline = monotonic() + PATIENCE_SECONDS
    path = f"{STAFF}/payments/bills"
    while True:
        items = finance.calls.get("look at the bills", path, params={"day": day.isoformat()})["items"]
        if len(items) == 2 and all(each["fetched_at"] and each["state"] != "due" for each in items):
            return {each["wallet"]: each for each in items}
        assert monotonic() < deadline, items
        sleep(0.1)


def books_of(till: Till, day: date) -> dict[str, dict[str, int]]:
    """What the wallets themselves have of a day."""
    began = day.isoformat()
    orders = [each for each in till.outside.look("/pay/orders") if str(each["success_time"]).startswith(began)]
    refunds = [each for each in till.outside.look("/pay/refunds") if each["create_time"].startswith(began)]
    trades = till.outside.look("/alipay/trades")
    paid = [each for each in trades if str(each["paid_at"]).startswith(began)]
    back = [each for trade in trades for each in trade["refunds"] if each["at"].startswith(began)]
    return {
        WECHAT: _sums([each["total"] for each in orders], [each["amount"] for each in refunds]),
        ALIPAY: _sums([each["total"] for each in paid], [each["amount"] for each in back]),
    }


def _sums(paid: list[int], back: list[int]) -> dict[str, int]:
    return {"payments": len(paid), "payments_fen": sum(paid), "refunds": len(back), "refunds_fen": sum(back)}


@pytest.fixture
def city(build: Build) -> Iterator[City]:
    with build("mariadb") as city:
        yield city


def test_two_days_of_money(city: City) -> None:
    till = Till(city)
    finance = city.finance(till.journey)
    with contextlib.closing(finance.calls), contextlib.closing(till):
        first = now(city).date() + timedelta(days=1)
        _the_first_day(city, till, finance, first)
        second = first + timedelta(days=1)
        move_to(city, second, time(10, 31))
        _sign_in(finance)
        bills = bills_of(city, finance, first)
        assert {wallet: bill["theirs"] for wallet, bill in bills.items()} == books_of(till, first)
        assert {wallet: bill["theirs"] for wallet, bill in bills.items()} == {
            WECHAT: {"payments": 4, "payments_fen": 32000, "refunds": 2, "refunds_fen": 11000},
            ALIPAY: {"payments": 2, "payments_fen": 16000, "refunds": 1, "refunds_fen": 8000},
        }
        status, said = reconciled(city, first)
        assert (status, {bill["state"] for bill in bills.values()}) == (0, {"matched"}), said
        assert "320.00" in said
        assert "160.00" in said

        _a_second_day_whose_bills_are_wrong(city, till, second)
        move_to(city, second + timedelta(days=1), time(10, 31))
        _sign_in(finance)
        _settled_by_hand(city, finance, second)
        assert reconciled(city, first)[0] == 0


def _the_first_day(city: City, till: Till, finance: PatientDesk, day: date) -> None:
    """Given back by finance: a part and a whole. Paid twice: the second goes back by itself."""
    move_to(city, day, time(15))
    _sign_in(finance)
    part, whole = till.paid(WECHAT), till.paid(ALIPAY)
    till.paid(WECHAT)
    till.paid(ALIPAY, WECHAT)
    for order_id, fen in ((part, 3000), (whole, 8000)):
        path = f"{STAFF}/payments/orders/{order_id}/refunds"
        finance.calls.post("give back", path, {"amount_fen": fen, "reason": "减免登记费"}, expect=201)
    outcome.come_to_rest(city)
    _refunds_end(city)
    # A minute before midnight, and half a one: a busy machine takes seconds to say that it is paid.
    move_to(city, day, time(23, 59))
    late = till.placed(WECHAT)[0]
    move_to(city, day, time(23, 59, 30))
    till.phones[WECHAT].pay(late.client_params or {})
    # Nothing may be under way to a wallet while the clocks leap: they do so one after the other.
    outcome.come_to_rest(city)


def _refunds_end(city: City) -> None:
    for _ in range(20):
        outcome.come_to_rest(city)
        if not city.count("payments_refund", "state <> 'succeeded'"):
            return
        city.move_clock(30)
    raise AssertionError(city.rows("SELECT state, wallet, questions, refusal FROM payments_refund"))


def _a_second_day_whose_bills_are_wrong(city: City, till: Till, day: date) -> None:
    """A line that nobody knows, a line left out, a line of another amount."""
    till.paid(WECHAT)
    till.paid(ALIPAY)
    till.paid(WECHAT)
    rows = city.rows(
        "SELECT a.out_trade_no, a.wallet FROM payments_settlement s JOIN payments_attempt a ON a.id = s.attempt_id "
        "ORDER BY s.id DESC LIMIT 3"
    )
    wrong, lost = (next(row["out_trade_no"] for row in rows if row["wallet"] == each) for each in (WECHAT, ALIPAY))
    till.outside.do("/pay/bill-line", action="add", out_trade_no="nobodys", day=day.isoformat(), amount_fen=1)
    till.outside.do("/pay/bill-line", action="amount", out_trade_no=wrong, amount_fen=8001)
    till.outside.do("/alipay/bill-line", action="omit", out_trade_no=lost)


def _settled_by_hand(city: City, finance: PatientDesk, day: date) -> None:
    bills = bills_of(city, finance, day)
    status, said = reconciled(city, day)
    assert (status, said.count("[未解释]")) == (1, 3), said
    found: dict[str, str] = {}
    for bill in bills.values():
        path = f"{STAFF}/payments/bills/{bill['id']}/findings"
        found |= {each["kind"]: each["id"] for each in finance.calls.get("see what differs", path)["items"]}
    assert sorted(found) == ["amount_differs", "missing_in_bill", "missing_with_us"]
    for number, finding in enumerate(found.values(), start=1):
        path = f"{STAFF}/payments/bill-findings/{finding}/resolution"
        finance.calls.post("settle it", path, {"note": "与钱包客服核对无误"}, expect=200)
        status, said = reconciled(city, day)
        assert (status, said.count("[未解释]")) == (int(number < len(found)), len(found) - number), said


def _sign_in(finance: PatientDesk) -> None:
    finance.calls.token = ""
    finance.sign_in()
