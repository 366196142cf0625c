"""Whatever residents, wallets, finance and the network do, in whatever order: the money adds up to the fen.

Steps are drawn by hypothesis, the same ones in every run; YICHUANG_MONEY_EXAMPLES=500 draws as many anew.
"""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tortoise.backends.base.executor import EXECUTOR_CACHE

from kit.clock import local_date
from kit.db.connection import close_database, credentials, open_database
from kit.errors import OutsideError, Problem
from kit.failing import failing
from kit.ids import new_id
from kit.inbox import Inbox
from kit.outbox.queries import parked
from payments import bill_queries, queries, service
from payments.bill_rules import due_from
from payments.errors import NoticeRefused
from payments.events import NoticeArrived
from payments.models import Attempt, Order, Refund, Settlement
from payments.providers.fake import FakeWallet, Trade
from payments.refund_rules import RefundNotice, RefundState
from payments.rules import OrderState, Report, TradeState
from payments.service.settling import sealed_notice
from server.database import APPS
from tests.factories.payments import OTHER_WALLET, WALLET, Till, till

DOWN = OutsideError("fake_wallet", "TIMEOUT", "no answer in time", permanent=False)
ORDERS = 3
Kept = tuple[str, str, Report | RefundNotice]
any_number = st.integers(min_value=0, max_value=10**6)
wallets = st.sampled_from([WALLET, OTHER_WALLET])


class Money(RuleBasedStateMachine):
    """Three orders, two wallets; `kept` are notices on their way, each with its id."""

    template: Path
    folder: Path

    @initialize()
    def open_up(self) -> None:
        EXECUTOR_CACHE.clear()
        self.runner = asyncio.Runner()
        database = self.folder / f"{new_id()}.db"
        shutil.copy(self.template, database)
        connection = credentials(f"sqlite:///{database}")
        connection["credentials"] |= {"synchronous": "OFF", "journal_mode": "MEMORY"}  # nothing outlives a test
        self.run(open_database(connection, APPS))
        self.at: Till = till()
        self.first_day = local_date(self.at.clock.now())
        self.orders: list[Order] = [self.run(self.at.order()) for _ in range(ORDERS)]
        self.kept: list[Kept] = []

    def run(self, doing: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await doing

        return self.runner.run(awaited())

    def teardown(self) -> None:
        try:
            self.run(self._in_the_end())
        finally:
            self.run(close_database())
            self.runner.close()
            EXECUTOR_CACHE.clear()

    # What people do

    @rule(which=any_number, wallet=wallets, phone=st.sampled_from(["oOne", "oTwo"]), key=any_number)
    def pay(self, which: int, wallet: str, phone: str, key: int) -> None:
        order = self.orders[which % ORDERS]
        self._try(
            self.at.pay(order, wallet=wallet, openid=phone, key=self.at.key(f"{wallet}{which % ORDERS}{key % 4}"))
        )

    @rule(which=any_number, wallet=wallets, method=st.sampled_from(["prepare", "query", "close"]), after=st.booleans())
    def pay_while_a_wallet_is_shaky(self, which: int, wallet: str, method: str, *, after: bool) -> None:
        shaky = self.at
        for name, real in self._real().items():
            shaky = shaky.through(failing(real, [DOWN], methods={method}, after=after), wallet=name)
        self._try(shaky.pay(self.orders[which % ORDERS], wallet=wallet))

    @rule(which=any_number)
    @precondition(lambda self: self._trades({TradeState.UNPAID}))
    def confirm(self, which: int) -> None:
        """The payer confirms what can be paid."""
        wallet, trade = self._pick(self._trades({TradeState.UNPAID}), which)
        if trade.order.expires_at > self.at.clock.now():
            self._paid(wallet, trade)

    @rule(which=any_number)
    @precondition(lambda self: self._trades({TradeState.CLOSED}))
    def have_confirmed_before_it_was_closed(self, which: int) -> None:
        """The wallet took the money and the closing: it tells of the payment only."""
        wallet, trade = self._pick(self._trades({TradeState.CLOSED}), which)
        self._paid(wallet, trade)

    @rule(which=any_number, amount=st.integers(1, 8000), whole=st.booleans(), named=st.booleans())
    def refund(self, which: int, amount: int, *, whole: bool, named: bool) -> None:
        order = self.orders[which % ORDERS]
        attempts = self.run(Attempt.filter(order_id=order.id).order_by("id"))
        attempt_id = attempts[which % len(attempts)].id if named and attempts else None
        self._try(self.at.refund(order, 8000 if whole else amount, attempt_id=attempt_id))

    # What wallets do

    @rule(which=any_number)
    @precondition(lambda self: self._trades())
    def tell(self, which: int) -> None:
        """A notice sets out; it may arrive now, later, twice or never."""
        wallet, trade = self._pick(self._trades(), which)
        self.kept.append((wallet, new_id(), trade.report))

    @rule(which=any_number)
    @precondition(lambda self: self.kept)
    def deliver(self, which: int) -> None:
        self.run(self._arrive(self._pick(self.kept, which)))

    @rule(
        which=any_number,
        lie=st.sampled_from(
            [{"amount_fen": 1}, {"merchant_id": "m"}, {"app_id": "a"}, {"currency": "USD"}, {"out_trade_no": "n"}]
        ),
    )
    @precondition(lambda self: self._trades({TradeState.PAID}))
    def tell_what_is_not_so(self, which: int, lie: dict[str, Any]) -> None:
        wallet, trade = self._pick(self._trades({TradeState.PAID}), which)
        self.run(self._arrive((wallet, new_id(), replace(trade.report, **lie))))

    @rule(which=any_number)
    @precondition(lambda self: self._trades({TradeState.UNPAID}))
    def forge(self, which: int) -> None:
        """Another merchant's key signs that it is paid."""
        wallet, trade = self._pick(self._trades({TradeState.UNPAID}), which)
        said = replace(trade.report, trade_state=TradeState.PAID, transaction_id="forged")
        headers, raw = FakeWallet(self.at.clock, merchant_id="thief").notice(said, notice_id=new_id())
        with pytest.raises(NoticeRefused):
            self._real()[wallet].open(headers, raw)

    @rule(which=any_number, end=st.sampled_from([RefundState.SUCCEEDED, RefundState.CLOSED, RefundState.ABNORMAL]))
    @precondition(lambda self: self._open_refunds())
    def end_refund(self, which: int, end: RefundState) -> None:
        wallet, number = self._pick(self._open_refunds(), which)
        self._real()[wallet].finish_refund(number, end)

    @rule(which=any_number)
    @precondition(lambda self: any(wallet.given_back for wallet in self._real().values()))
    def tell_of_a_refund(self, which: int) -> None:
        given = [(name, each) for name, real in self._real().items() for each in real.given_back.values()]
        wallet, each = self._pick(given, which)
        account = self._real()[wallet].account
        said = RefundNotice(each.asked.out_trade_no, each.asked.out_refund_no, account.merchant_id, "")
        self.kept.append((wallet, new_id(), said))

    # What time does

    @rule(seconds=st.sampled_from([0, 1, 30, 600, 51 * 60, 3601]))
    def work(self, seconds: int) -> None:
        self.run(self.at.work(seconds=seconds))

    @rule(
        seconds=st.sampled_from([30, 600]),
        method=st.sampled_from(["query", "close", "refund", "query_refund"]),
        after=st.booleans(),
        wallet=wallets,
    )
    def work_while_a_wallet_is_shaky(self, seconds: int, method: str, wallet: str, *, after: bool) -> None:
        weak = failing(self._real()[wallet], [DOWN, DOWN], methods={method}, after=after)
        self.run(self.at.through(weak, refunds=weak, wallet=wallet).work(seconds=seconds))

    # What must always hold

    @invariant()
    def one_payable_number_for_each_order(self) -> None:
        payable: Counter[str] = Counter()
        attempts = {each.out_trade_no: each.order_id for each in self.run(Attempt.all())}
        for _, trade in self._trades({TradeState.UNPAID}):
            if trade.order.expires_at > self.at.clock.now():
                payable[attempts[trade.order.out_trade_no]] += 1
        assert all(number == 1 for number in payable.values()), payable

    @invariant()
    def settled_once_and_never_more_back_than_was_paid(self) -> None:
        settled = self.run(Settlement.all())
        told = [each.order_id for each in self.at.told]
        assert len(told) == len(set(told)) == len({each.subject_id for each in self.at.told})
        assert set(told) <= {each.order_id for each in settled}
        assert (
            len(settled) == len({each.order_id for each in settled}) == len({each.transaction_id for each in settled})
        )
        back: Counter[str] = Counter()
        for refund in self.run(Refund.exclude(state=RefundState.CLOSED.value)):
            back[refund.attempt_id] += refund.amount_fen
        assert all(fen <= 8000 for fen in back.values()), back
        for real in self._real().values():
            assert all(real.returned(number) <= 8000 for number in real.trades)

    async def _in_the_end(self) -> None:
        """Everything on its way arrives, refunds are carried out, and the days' bills come."""
        for each in list(self.kept):
            await self._arrive(each)
        await self._refunds_end()
        await self._books_agree()
        await self._bills_come()
        await self._books_agree()
        await self._bills_agree()
        assert await parked() == []

    async def _refunds_end(self) -> None:
        for _ in range(3):
            await self.at.work(seconds=4 * 3600)
            for real in self._real().values():
                for number, given in list(real.given_back.items()):
                    if given.report.state in {RefundState.PROCESSING, RefundState.ABNORMAL}:
                        real.finish_refund(number)
        await self.at.work(seconds=7 * 3600)

    async def _bills_come(self) -> None:
        """A bill may show a payment under a closed number: the wallet is asked, and the bill is looked at again."""
        self.at.clock.at = max(self.at.clock.now(), due_from(local_date(self.at.clock.now())))
        await service.open_due_bills(self.at.needs)
        await self.at.work()
        await self._refunds_end()

    async def _books_agree(self) -> None:
        settlements = {each.attempt_id: each for each in await Settlement.all()}
        orders = await Order.filter(state=OrderState.SETTLED.value)
        assert {each.order_id for each in settlements.values()} == {each.id for each in orders}
        assert sorted(each.order_id for each in self.at.told) == sorted(each.id for each in orders)
        refunds = await Refund.all()
        assert {each.state for each in refunds} <= {RefundState.SUCCEEDED.value, RefundState.CLOSED.value}
        done = [each for each in refunds if each.state == RefundState.SUCCEEDED.value]
        assert sorted(each.refund_id for each in self.at.returned) == sorted(each.id for each in done)
        numbers = {each.out_trade_no: each.id for each in await Attempt.all()}
        ours = sum(each.amount_fen for each in settlements.values())
        ours -= sum(each.amount_fen for each in done if each.attempt_id in settlements)
        theirs = strange = 0
        for wallet, trade in self._trades({TradeState.PAID}):
            number = trade.order.out_trade_no
            held = trade.order.amount_fen - self._real()[wallet].returned(number)
            if numbers[number] in settlements:
                theirs += held
            else:
                strange += held
        assert ours == theirs
        self.strange = strange

    async def _bills_agree(self) -> None:
        """What no notice ever told of stands in the bill as a finding, and nothing else does."""
        difference = unexplained = 0
        for bill in await bill_queries.bills(self.at.needs, limit=100):
            difference += bill.theirs.settled_fen - bill.ours.settled_fen
            unexplained += bill.unexplained
            if bill.nothing_unexplained:
                findings = await bill_queries.findings(self.at.needs, bill_id=bill.id, limit=100)
                assert all(each.resolved_at or each.discrepancy_id for each in findings)
        assert difference == await self._unbooked()
        waiting = await queries.discrepancies(self.at.needs, limit=100)
        assert not self.strange or unexplained or waiting

    async def _unbooked(self) -> int:
        """What the wallets took and our books have no settlement of: second payments and such as we never heard of."""
        settled = {each.transaction_id for each in await Settlement.all()}
        trades = self._trades({TradeState.PAID})
        return sum(trade.order.amount_fen for _, trade in trades if trade.report.transaction_id not in settled)

    # How it is done

    def _real(self) -> dict[str, FakeWallet]:
        return {WALLET: self.at.wallet, OTHER_WALLET: self.at.other}

    def _trades(self, states: set[TradeState] | None = None) -> list[tuple[str, Trade]]:
        known = [(name, trade) for name, real in self._real().items() for trade in real.trades.values()]
        return [each for each in known if states is None or each[1].report.trade_state in states]

    def _open_refunds(self) -> list[tuple[str, str]]:
        return [
            (name, number)
            for name, real in self._real().items()
            for number, given in real.given_back.items()
            if given.report.state is RefundState.PROCESSING
        ]

    @staticmethod
    def _pick(found: list[Any], which: int) -> Any:
        return found[which % len(found)]

    def _paid(self, wallet: str, trade: Trade) -> None:
        self._real()[wallet].pay(trade.order.out_trade_no)

    def _try(self, doing: Awaitable[Any]) -> None:
        """A refusal is an answer."""
        try:
            self.run(doing)
        except (Problem, OutsideError):
            return

    async def _arrive(self, kept: Kept) -> None:
        """What the callback and then the worker do."""
        name, notice_id, said = kept
        real = self._real()[name]
        if isinstance(said, RefundNotice):
            headers, raw = real.refund_notice(said, notice_id=notice_id)
        else:
            headers, raw = real.notice(said, notice_id=notice_id)
        notice = real.open(headers, raw)
        await Inbox(self.at.needs.outbox, self.at.needs.cipher, self.at.clock).receive(
            system=name,
            external_id=notice.id,
            body=sealed_notice(name, notice.body),
            announce=lambda inbox_id: NoticeArrived(inbox_id, notice.out_trade_no),
        )
        await self.at.work()


def test_the_money_adds_up_whatever_happens_in_whatever_order(sqlite_template: Path, tmp_path: Path) -> None:
    wanted = os.environ.get("YICHUANG_MONEY_EXAMPLES")
    plan = settings(
        max_examples=int(wanted or 20),
        stateful_step_count=25,
        derandomize=wanted is None,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    Money.template, Money.folder = sqlite_template, tmp_path
    run_state_machine_as_test(Money, settings=plan)
