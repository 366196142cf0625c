from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import cast

import pytest

from kit.clock import FixedClock, day_begins
from kit.db import fetch
from kit.errors import OutsideError
from kit.failing import failing
from kit.ids import new_id
from kit.outbox.queries import parked
from payments import bill_queries, service
from payments.bill_models import BillEntry, BillFile, BillFinding, DailyBill
from payments.bill_rules import BillState, due_from
from payments.bills.bill import BillLine, LineKind, UnreadableBill
from payments.bills.matching import FindingKind
from payments.errors import FindingNotFound, FindingResolved
from payments.models import Attempt, Discrepancy, Settlement
from payments.providers.fake_bills import FakeBills, line_of
from payments.rules import AttemptState, Fault
from tests.factories.bill_office import DAY, MORNING_AFTER, Office, bill_office
from tests.factories.payments import OTHER_WALLET, WALLET, till
from tests.payments.service.test_refunding import take

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("wechat_pay", "TIMEOUT", "no answer in time", permanent=False)
REFUSED = OutsideError("wechat_pay", "NO_AUTH", "the right is not ours", permanent=True)


@pytest.fixture
def office() -> Office:
    return bill_office()


def extra(number: str, fen: int = 8000, *, refund: str = "", when: datetime | None = None) -> BillLine:
    return line_of(f"t{number}", number, fen, when or day_begins(DAY) + timedelta(hours=12), out_refund_no=refund)


async def test_a_day_on_which_everything_fits_is_matched_to_the_fen(office: Office) -> None:
    order, _ = await office.at.settled()
    await office.at.settled()
    await office.at.refund(order, 3000)
    await office.at.work(seconds=1)
    bill = await office.open_up()
    assert (bill.state, bill.unexplained, bill.error) == (BillState.MATCHED, 0, "")
    assert bill.nothing_unexplained
    assert bill.theirs == replace(bill.ours, service_fee_fen=0)
    assert (bill.theirs.payments, bill.theirs.payments_fen) == (2, 16000)
    assert (bill.theirs.refunds, bill.theirs.refunds_fen, bill.theirs.net_fen) == (1, 3000, 13000)
    assert await office.findings() == []


async def test_each_wallet_and_day_has_one_bill_from_half_past_ten(office: Office) -> None:
    office.at.clock.at = MORNING_AFTER - timedelta(seconds=1)
    await service.open_due_bills(office.at.needs)
    rows = await DailyBill.filter(wallet=WALLET).order_by("day")
    assert [row.day for row in rows] == [DAY - timedelta(days=back) for back in range(6, 0, -1)]
    await office.open_up()
    assert await service.open_due_bills(office.at.needs) == 0
    assert await DailyBill.filter(wallet=WALLET).count() == 7
    assert await DailyBill.filter(wallet=OTHER_WALLET).count() == 7
    assert office.bills.fetched == 7


async def test_two_timers_open_a_bill_once(office: Office) -> None:
    from payments.service import billing

    await office.at.work()
    assert await billing._open_once(office.at.needs, WALLET, DAY)
    assert not await billing._open_once(office.at.needs, WALLET, DAY)


async def test_what_only_one_side_has(office: Office) -> None:
    _, lost = await office.at.settled()
    office.bills.lost.add(f"fake-{lost.out_trade_no}")
    office.bills.added += [extra("ghost", 1234), extra("ghost", 55, refund="never-asked")]
    bill = await office.open_up()
    assert (bill.state, bill.unexplained) == (BillState.DIFFERS, 3)
    found = {each.kind: (each.ours_fen, each.theirs_fen, each.out_trade_no) for each in await office.findings()}
    assert found == {
        FindingKind.MISSING_WITH_US: (None, 1234, "ghost"),
        FindingKind.UNKNOWN_REFUND: (None, 55, "ghost"),
        FindingKind.MISSING_IN_BILL: (8000, None, lost.out_trade_no),
    }
    assert bill.theirs.payments_fen - bill.ours.payments_fen == 1234 - 8000


async def test_an_amount_that_differs_names_both_sides_and_the_order(office: Office) -> None:
    order, attempt = await office.at.settled()
    office.bills.amounts[f"fake-{attempt.out_trade_no}"] = 7999
    await office.open_up()
    (finding,) = await office.findings()
    assert (finding.kind, finding.ours_fen, finding.theirs_fen) == (FindingKind.AMOUNT_DIFFERS, 8000, 7999)
    assert (finding.order_id, finding.position) == (order.id, 1)


async def test_a_refund_that_is_lost_and_one_that_was_closed(office: Office) -> None:
    order, _ = await office.at.settled()
    lost, closed = await office.at.refund(order, 1000), await office.at.refund(order, 500)
    await office.at.work(seconds=1)
    office.bills.lost.add(lost.out_refund_no)
    await type(closed).filter(id=closed.id).update(state="closed")
    await office.open_up()
    found = {(each.kind, each.line_kind, each.out_refund_no) for each in await office.findings() if each.open}
    assert found == {
        (FindingKind.MISSING_IN_BILL, LineKind.REFUND, lost.out_refund_no),
        (FindingKind.STATE_DIFFERS, LineKind.REFUND, closed.out_refund_no),
    }


@pytest.mark.parametrize(("seconds", "bill_day"), [(-2, DAY + timedelta(days=1)), (2, DAY)])
async def test_a_payment_on_two_sides_of_midnight_is_found_beside(office: Office, seconds: int, bill_day: date) -> None:
    await office.at.settled()
    _, attempt = await office.at.settled()
    midnight = day_begins(DAY + timedelta(days=1))
    # We count it to one side of midnight, the wallet to the other.
    await Settlement.filter(attempt_id=attempt.id).update(paid_at=midnight + timedelta(seconds=seconds))
    report = office.at.wallet.trades[attempt.out_trade_no].report
    office.at.wallet.says(attempt.out_trade_no, replace(report, paid_at=midnight - timedelta(seconds=seconds)))
    first = await office.open_up()
    assert first.state is (BillState.DIFFERS if bill_day != DAY else BillState.MATCHED)
    await office.open_up(MORNING_AFTER + timedelta(days=1))
    for day in (DAY, DAY + timedelta(days=1)):
        bill = await office.bill(day)
        assert bill.state is BillState.MATCHED
        assert bill.theirs.payments == bill.ours.payments == (day == bill_day) + (day == DAY)
    resolved = [each.resolved_by for each in await office.findings() if each.resolved_at]
    assert resolved == ([None] if bill_day != DAY else [])


async def test_a_refund_stands_in_the_bill_of_the_day_on_which_its_wallet_took_it_on(office: Office) -> None:
    """Asked for in the evening while the wallet was down, taken on after midnight, done two days later."""
    order, _ = await office.at.settled()
    at, down = office.at, office.at.through(office.at.wallet, refunds=failing(office.at.wallet, [DOWN] * 99))
    at.clock.at = day_begins(DAY + timedelta(days=1)) - timedelta(hours=1)
    refund = await down.refund(order, 1000)
    await down.work()
    at.clock.advance(seconds=2 * 3600)
    await at.work()
    day = await office.open_up()
    assert (day.state, day.ours.refunds, day.theirs.refunds) == (BillState.MATCHED, 0, 0)
    next_day = await office.open_up(MORNING_AFTER + timedelta(days=1))
    assert (next_day.state, (await office.bill(DAY + timedelta(days=1))).theirs.refunds_fen) == (
        BillState.MATCHED,
        1000,
    )
    at.wallet.finish_refund(refund.out_refund_no)
    await at.work(seconds=3600)
    for back in range(2):
        bill = await office.bill(DAY + timedelta(days=back))
        assert (bill.state, bill.ours.refunds_fen) == (BillState.MATCHED, 1000 * back)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-16T15:59:59.999999+00:00", date(2026, 3, 16)),
        ("2026-03-16T16:00:00+00:00", date(2026, 3, 17)),
        ("2026-03-31T15:59:59.999999+00:00", date(2026, 3, 31)),
        ("2026-02-28T15:59:59.999999+00:00", date(2026, 2, 28)),
        ("2026-02-28T16:00:00+00:00", date(2026, 3, 1)),
        ("2028-02-28T16:00:00+00:00", date(2028, 2, 29)),
        ("2026-12-31T16:00:00+00:00", date(2027, 1, 1)),
        # Europe and America change their clocks on these days; China does not.
        ("2026-03-29T00:59:59.999999+00:00", date(2026, 3, 29)),
        ("2026-10-25T16:00:00+00:00", date(2026, 10, 26)),
    ],
)
async def test_a_day_ends_at_midnight_in_china_whatever_the_season(moment: str, day: date) -> None:
    at = till(FixedClock(datetime.fromisoformat(moment) - timedelta(minutes=5)))
    office = Office(at, cast("FakeBills", at.needs.bills[WALLET]))
    order = await at.order()
    attempt = await at.pay(order)
    at.clock.at = datetime.fromisoformat(moment)
    at.wallet.pay(attempt.out_trade_no)
    await at.work(seconds=600)
    at.clock.at = due_from(day)
    await service.open_due_bills(at.needs)
    await at.work()
    bills = {bill.day: bill for bill in await bill_queries.bills(at.needs, limit=100) if bill.wallet == WALLET}
    assert {each.state for each in bills.values()} == {BillState.MATCHED}
    assert [each for each, bill in bills.items() if bill.theirs.payments or bill.ours.payments] == [day]
    assert bills[day].theirs.payments_fen == bills[day].ours.payments_fen == 8000
    assert await office.open_kinds(day) == []


async def test_a_payment_that_two_days_bills_have_is_counted_once(office: Office) -> None:
    _, attempt = await office.at.settled()
    line = extra(attempt.out_trade_no, when=day_begins(DAY + timedelta(days=1)) + timedelta(hours=1))
    office.bills.added.append(replace(line, transaction_id=f"fake-{attempt.out_trade_no}"))
    await office.open_up(MORNING_AFTER + timedelta(days=1))
    assert (await office.bill()).state is BillState.MATCHED
    assert await office.open_kinds(DAY + timedelta(days=1)) == [FindingKind.DUPLICATE_LINE]


async def test_a_second_payment_is_explained_by_what_was_known_of_it(office: Office) -> None:
    order = await office.at.order()
    first, second = await office.at.pay(order), await office.at.pay(order, openid="oAnotherPhone")
    for attempt in (first, second):
        await take(office.at, office.at.wallet.pay(attempt.out_trade_no))
    await office.at.work(seconds=60)
    await office.at.work(seconds=60)
    bill = await office.open_up()
    (finding,) = await office.findings()
    assert (finding.kind, finding.fault, finding.open) == (FindingKind.STATE_DIFFERS, Fault.PAID_TWICE, False)
    assert bill.state is BillState.MATCHED
    assert (bill.theirs.payments_fen, bill.ours.payments_fen) == (16000, 8000)


async def test_a_payment_whose_notice_came_late_closes_its_finding(office: Office) -> None:
    attempt = await office.at.pay(await office.at.order())
    office.at.wallet.pay(attempt.out_trade_no)
    await Attempt.filter(id=attempt.id).update(state=AttemptState.DISPUTED)
    await office.open_up()
    assert await office.open_kinds() == [FindingKind.STATE_DIFFERS]
    await Attempt.filter(id=attempt.id).update(state=AttemptState.READY, next_poll_at=office.at.clock.now())
    await service.poll(office.at.needs, attempt_id=attempt.id)
    await office.at.work(seconds=6 * 3600)
    assert (await office.bill()).state is BillState.MATCHED
    (finding,) = await office.findings()
    assert (finding.resolved_at, finding.resolved_by) == (office.at.clock.now(), None)


async def test_fetching_again_repeats_no_finding_and_keeps_each_file_once(office: Office) -> None:
    office.bills.added.append(extra("ghost"))
    await office.open_up()
    before = [each.id for each in await office.findings()]
    await office.at.work(seconds=6 * 3600)
    assert [each.id for each in await office.findings()] == before
    bill = await office.bill()
    assert await BillFile.filter(bill_id=bill.id).count() == 1
    office.bills.added[0] = extra("ghost", 8001)
    office.bills.added.append(extra("ghost2"))
    await office.at.work(seconds=6 * 3600)
    assert await BillFile.filter(bill_id=bill.id).count() == 2
    assert await BillEntry.filter(bill_id=bill.id).count() == 2
    assert [(each.id in before, each.theirs_fen) for each in await office.findings()] == [(True, 8001), (False, 8000)]


async def test_a_bill_is_asked_for_again_for_a_week_and_no_longer(office: Office) -> None:
    office.bills.added.append(extra("ghost"))
    await office.open_up()
    for _ in range(40):
        await office.at.work(seconds=6 * 3600)
    bill = await DailyBill.get(wallet=WALLET, day=DAY)
    assert bill.fetches == 28 + 1
    due = await fetch("SELECT id FROM kit_outbox WHERE payload LIKE ?", [f"%{bill.id}%"])
    assert due == []


async def test_a_row_handled_again_after_a_crash_asks_once(office: Office) -> None:
    office.bills.added.append(extra("ghost"))
    bill = await office.open_up()
    asked = office.bills.fetched
    await service.fetch_bill(office.at.needs, bill_id=bill.id)
    assert office.bills.fetched == asked


async def test_a_wallet_that_is_down_is_the_outboxs_business(office: Office) -> None:
    await office.at.settled()
    shaky = office.through(failing(office.bills, [DOWN] * 7))
    await shaky.open_up()
    assert await parked() == []
    await shaky.at.work(seconds=600)
    assert (await office.bill()).state is BillState.MATCHED


@pytest.mark.parametrize(
    ("error", "why"),
    [(UnreadableBill("手续费总金额: 5, 6"), "UNREADABLE: 手续费总金额: 5, 6"), (REFUSED, "REFUSED: NO_AUTH")],
)
async def test_a_bill_that_cannot_be_believed_fails_and_heals(office: Office, error: Exception, why: str) -> None:
    await office.at.settled()
    shaky = office.through(failing(office.bills, [error] * 7))
    bill = await shaky.open_up()
    assert (bill.state, bill.error) == (BillState.FAILED, why)
    assert not bill.nothing_unexplained
    assert await parked() == []
    await shaky.at.work(seconds=6 * 3600)
    bill = await office.bill()
    assert (bill.state, bill.error) == (BillState.MATCHED, "")


async def test_a_bill_that_was_there_and_turned_unreadable_stays_failed_when_looked_at(office: Office) -> None:
    office.bills.added.append(extra("ghost"))
    await office.open_up()
    shaky = office.through(failing(office.bills, [UnreadableBill("x")]))
    await shaky.at.work(seconds=6 * 3600)
    await service.conclude(office.at.needs, bill_id=(await office.bill()).id)
    assert (await office.bill()).state is BillState.FAILED
    assert await office.open_kinds() == [FindingKind.MISSING_WITH_US]


async def test_a_day_without_business_has_no_bill_and_is_matched(office: Office) -> None:
    bill = await office.open_up()
    assert (bill.state, bill.theirs.payments, bill.digest) == (BillState.MATCHED, 0, "")
    assert await BillFile.all().count() == 0


async def test_a_bill_that_was_there_is_never_taken_back_by_there_is_none(office: Office) -> None:
    """What it showed is unknown to us, so that by our own books the day would be empty."""
    office.bills.added.append(extra("ghost"))
    await office.open_up()
    office.bills.added.clear()
    for _ in range(5):
        await office.at.work(seconds=6 * 3600)
    bill = await office.bill()
    assert (bill.state, bill.unexplained, bill.theirs.payments, bill.error) == (BillState.DIFFERS, 1, 1, "NOT_READY")
    assert await office.open_kinds() == [FindingKind.MISSING_WITH_US]


async def test_no_bill_of_a_day_with_payments_is_waited_for_and_then_believed(office: Office) -> None:
    _, attempt = await office.at.settled()
    office.bills.lost.add(f"fake-{attempt.out_trade_no}")
    bill = await office.open_up()
    assert (bill.state, bill.error) == (BillState.DUE, "NOT_READY")
    for _ in range(47):
        await office.at.work(seconds=1800)
    assert (await office.bill()).state is BillState.DUE
    await office.at.work(seconds=1800)
    assert (await office.bill()).state is BillState.DIFFERS
    assert await office.open_kinds() == [FindingKind.MISSING_IN_BILL]


async def test_a_wallet_without_bills_any_more_waits_for_staff(office: Office) -> None:
    await service.open_due_bills(office.at.needs)
    gone = office.through(office.bills)
    gone.at.drain.house.payments = replace(gone.at.needs, bills={})
    await gone.at.work()
    assert {row.handler for row in await parked()} == {"payments.fetch_bill"}


async def test_the_file_is_sealed_and_the_lines_name_nobody(office: Office) -> None:
    await office.at.settled()
    bill = await office.open_up()
    file = await BillFile.get(bill_id=bill.id)
    assert b"BillLine" not in bytes(file.raw_sealed)
    opened = office.at.needs.cipher.open_bytes(bytes(file.raw_sealed), ("payments_bill_file.raw_sealed", file.id))
    assert b"BillLine" in opened


async def test_staff_resolve_a_finding_and_it_stays_resolved_for_the_same_money(office: Office) -> None:
    office.bills.added.append(extra("ghost"))
    await office.open_up()
    (finding,) = await office.findings()
    resolve = {"finding_id": finding.id, "staff_id": new_id(), "note": "张三线下缴费"}
    await service.resolve_finding(office.at.needs, **resolve)
    assert (await office.bill()).state is BillState.MATCHED
    (after,) = await office.findings()
    assert (after.note, after.resolved_by) == ("张三线下缴费", resolve["staff_id"])
    assert "张三" not in str((await BillFinding.get(id=finding.id)).note_sealed)
    with pytest.raises(FindingResolved):
        await service.resolve_finding(office.at.needs, **resolve)
    await service.conclude(office.at.needs, bill_id=finding.bill_id)
    assert (await office.bill()).state is BillState.MATCHED
    office.bills.added[0] = extra("ghost", 8001)
    await office.at.work(seconds=6 * 3600)
    (reopened,) = await office.findings()
    assert (reopened.open, reopened.note) == (True, None)
    assert (await office.bill()).state is BillState.DIFFERS
    audited = await fetch("SELECT action, details FROM kit_audit WHERE subject_id = ?", [finding.id])
    assert [row["action"] for row in audited] == ["payments.finding_resolved"]
    with pytest.raises(FindingNotFound):
        await service.resolve_finding(office.at.needs, finding_id=new_id(), staff_id=new_id(), note="x")


async def test_a_refunds_discrepancy_explains_its_line(office: Office) -> None:
    office.bills.added.append(extra("ghost", 500, refund="r1"))
    await Discrepancy.create(
        id=new_id(),
        dedupe_key="x",
        fault=Fault.UNKNOWN_REFUND,
        wallet=WALLET,
        out_trade_no="ghost",
        transaction_id="r1",
        reported_fen=500,
        created_at=office.at.clock.now(),
    )
    bill = await office.open_up()
    (finding,) = await office.findings()
    assert (finding.kind, finding.fault) == (FindingKind.UNKNOWN_REFUND, Fault.UNKNOWN_REFUND)
    assert bill.state is BillState.MATCHED


async def test_the_other_wallets_money_is_its_own(office: Office) -> None:
    await office.at.settled(wallet=OTHER_WALLET)
    bill = await office.open_up()
    assert bill.ours.payments == 0
    other = next(each for each in await bill_queries.bills(office.at.needs, day=DAY) if each.wallet == OTHER_WALLET)
    assert (other.state, other.ours.payments_fen) == (BillState.MATCHED, 8000)
