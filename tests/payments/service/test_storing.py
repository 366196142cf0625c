from datetime import timedelta

import pytest

from kit.clock import day_begins
from kit.db import fetch, in_transaction
from kit.ids import new_id
from payments import service
from payments.bill_models import BillEntry, BillFile, BillFinding, DailyBill
from payments.bill_rules import BillState
from payments.bills.bill import Bill, BillLine
from payments.bills.matching import FindingKind
from payments.models import Attempt, Discrepancy, Settlement
from payments.providers.fake_bills import line_of
from payments.rules import AttemptState, Fault, TradeState
from payments.service import reconciling, storing
from payments.service.books import lines_of
from payments.service.storing import Superseded
from tests.factories.bill_office import DAY, MORNING_AFTER, Office, bill_office
from tests.factories.payments import WALLET

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    """Portions of two, so that a few lines take many transactions."""
    monkeypatch.setattr(storing, "PORTION", 2)
    monkeypatch.setattr(reconciling, "PORTION", 2)
    return bill_office()


def ghosts(count: int, fen: int = 8000) -> list[BillLine]:
    noon = day_begins(DAY) + timedelta(hours=12)
    return [line_of(f"t{serial:04}", f"ghost{serial:04}", fen, noon) for serial in range(count)]


async def kept() -> list[tuple[int, int]]:
    rows = await fetch("SELECT position, amount_fen FROM payments_bill_entry ORDER BY position")
    return [(row["position"], row["amount_fen"]) for row in rows]


class _CrashError(Exception):
    pass


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of steps of the writing that end the process once; each is taken out as it happens."""
    left: list[str] = []

    def crashing(name: str) -> None:
        whole = getattr(storing, name)

        async def crash(*args: object) -> object:
            done = await whole(*args)
            if name in left:
                left.remove(name)
                raise _CrashError
            return done

        monkeypatch.setattr(storing, name, crash)

    for each in ("_begin", "_drop", "_add", "_end"):
        crashing(each)
    return left


@pytest.mark.parametrize("step", ["_begin", "_drop", "_add", "_end"])
async def test_a_crash_while_a_bill_is_written_leaves_nothing_twice(
    office: Office, breaks: list[str], step: str
) -> None:
    office.bills.added += ghosts(5)
    await office.open_up()
    office.bills.added[:] = ghosts(7, fen=8100)
    breaks.append(step)
    await office.at.work(seconds=6 * 3600)
    assert breaks == []
    await office.at.work(seconds=600)
    assert await kept() == [(position, 8100) for position in range(1, 8)]
    bill = await office.bill()
    assert (bill.state, bill.unexplained, bill.theirs.payments_fen) == (BillState.DIFFERS, 7, 7 * 8100)
    assert await BillFile.filter(bill_id=bill.id).count() == 2
    assert await BillFinding.filter(bill_id=bill.id).count() == 7


async def test_half_a_bill_is_held_against_nothing(office: Office, breaks: list[str]) -> None:
    for _ in range(3):
        await office.at.settled()
    breaks.append("_add")
    bill = await office.open_up()
    assert len(await kept()) == 2
    await service.conclude(office.at.needs, bill_id=bill.id)
    assert await office.findings() == []
    assert (await office.bill()).state is BillState.DUE
    await office.at.work(seconds=600)
    assert (await office.bill()).state is BillState.MATCHED


async def test_a_bill_that_is_being_replaced_is_not_done_with(office: Office, breaks: list[str]) -> None:
    await office.at.settled()
    assert (await office.open_up()).nothing_unexplained
    due = {"next_fetch_at": office.at.clock.now()}
    await DailyBill.filter(id=(bill := await office.bill()).id).update(**due)
    office.bills.added += ghosts(3)
    breaks.append("_add")
    with pytest.raises(_CrashError):
        await service.fetch_bill(office.at.needs, bill_id=bill.id)
    assert (await office.bill()).state is BillState.DUE
    await service.fetch_bill(office.at.needs, bill_id=bill.id)
    assert (await office.bill()).unexplained == 3


async def test_a_writer_whose_lease_ran_out_is_refused_by_the_one_after_it(office: Office) -> None:
    bill = await office.open_up()
    lines = tuple(ghosts(3))
    fetched = Bill("wechat", DAY, b"one", lines)
    mark = await storing._begin(office.at.needs, bill.id, "one", "f" * 32, b"sealed")
    assert mark
    await storing.store(office.at.needs, bill.id, Bill("wechat", DAY, b"two", ()))
    with pytest.raises(Superseded):
        await storing._add(bill.id, mark, fetched.lines)
    with pytest.raises(Superseded):
        await storing._end(office.at.clock, bill.id, mark, "one")
    assert await BillEntry.all().count() == 0


async def test_a_look_that_was_overtaken_begins_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.bills.added += ghosts(3)
    bill = await office.open_up()
    overtaken = [2]

    async def overtake(seen: DailyBill) -> list[BillLine]:
        assert not in_transaction()
        if overtaken:
            await DailyBill.filter(id=seen.id).update(version=seen.version + overtaken.pop())
        return await lines_of(seen)

    monkeypatch.setattr(reconciling, "lines_of", overtake)
    office.bills.added += ghosts(4)[3:]
    await office.at.work(seconds=6 * 3600)
    assert overtaken == []
    assert (await office.bill()).unexplained == 4
    overtaken += [1, 1, 1]
    with pytest.raises(Superseded):
        await service.conclude(office.at.needs, bill_id=bill.id)


async def test_looking_again_writes_no_finding_that_is_as_it_was(office: Office) -> None:
    office.bills.added += ghosts(5)
    bill = await office.open_up()
    before = await BillFinding.filter(bill_id=bill.id).order_by("id").values_list("id", "updated_at")
    office.at.clock.advance(seconds=60)
    await service.conclude(office.at.needs, bill_id=bill.id)
    assert await BillFinding.filter(bill_id=bill.id).order_by("id").values_list("id", "updated_at") == before


async def test_a_payment_under_a_number_that_we_took_for_closed_is_asked_about(office: Office) -> None:
    """Its notices are lost, and polling ended with the wallet's word that it was closed: only the bill tells."""
    order = await office.at.order()
    attempt = await office.at.pay(order)
    office.at.wallet.pay(attempt.out_trade_no)
    await Attempt.filter(id=attempt.id).update(state=AttemptState.CLOSED)
    await office.open_up()
    await office.at.work(seconds=1)
    settlement = await Settlement.get(order_id=order.id)
    assert (settlement.attempt_id, settlement.amount_fen) == (attempt.id, 8000)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.PAID
    assert [event.order_id for event in office.at.told] == [order.id]
    await office.at.work(seconds=6 * 3600)
    assert (await office.bill()).state is BillState.MATCHED


async def test_what_the_answer_books_stands_in_the_bill_also_where_a_dispute_explained_it(office: Office) -> None:
    order = await office.at.order()
    attempt = await office.at.pay(order)
    office.at.wallet.pay(attempt.out_trade_no)
    await Attempt.filter(id=attempt.id).update(state=AttemptState.CLOSED)
    await Discrepancy.create(
        id=new_id(),
        dedupe_key=f"app_differs:{WALLET}:{attempt.out_trade_no}",
        fault=Fault.APP_DIFFERS,
        wallet=WALLET,
        out_trade_no=attempt.out_trade_no,
        transaction_id=f"fake-{attempt.out_trade_no}",
        reported_fen=8000,
        created_at=office.at.clock.now(),
    )
    seen = await office.open_up()
    assert (seen.state, seen.ours.payments_fen) == (BillState.MATCHED, 0)
    await office.at.work(seconds=1)
    assert await Settlement.filter(order_id=order.id).count() == 1
    await office.at.work(seconds=6 * 3600)
    bill = await office.bill()
    assert bill.theirs.payments_fen == bill.ours.payments_fen == 8000
    assert await office.open_kinds() == []
    fetched = office.bills.fetched
    await office.at.work(seconds=6 * 3600)
    assert office.bills.fetched == fetched, "nothing is open any more"


async def test_what_its_wallet_still_calls_closed_stays_closed(office: Office) -> None:
    attempt = await office.at.pay(await office.at.order())
    noon = day_begins(DAY) + timedelta(hours=12)
    office.bills.added.append(line_of("t1", attempt.out_trade_no, 8000, noon))
    await office.at.wallet.close(attempt.out_trade_no)
    await office.at.work(seconds=60)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    await office.open_up(MORNING_AFTER)
    await office.at.work(seconds=1)
    assert (await Attempt.get(id=attempt.id)).state == AttemptState.CLOSED
    assert await office.open_kinds() == [FindingKind.STATE_DIFFERS]
    assert office.at.wallet.trades[attempt.out_trade_no].report.trade_state is TradeState.CLOSED
