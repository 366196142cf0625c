"""A bill's answer is lost, before or after the wallet gave it: the day is matched once, nothing counts twice."""

import pytest

from kit.errors import OutsideError
from kit.failing import failing
from kit.outbox.queries import parked
from payments import service
from payments.bill_models import BillEntry, BillFile, BillFinding, DailyBill
from payments.bill_rules import BillState
from payments.bills.matching import FindingKind
from payments.providers.fake_bills import line_of
from tests.factories.bill_office import DAY, MORNING_AFTER, bill_office
from tests.factories.payments import WALLET

pytestmark = pytest.mark.usefixtures("db")
DOWN = OutsideError("wechat_pay", "TIMEOUT", "no answer in time", permanent=False)


class Killed(BaseException):
    """The process died here."""


@pytest.mark.parametrize("error", [DOWN, Killed()], ids=["no answer", "the process died"])
@pytest.mark.parametrize("after", [False, True], ids=["before the wallet answered", "after the wallet answered"])
async def test_a_day_is_matched_once(error: BaseException, *, after: bool) -> None:
    office = bill_office()
    await office.at.settled()
    office.bills.added.append(line_of("t9", "nobodys", 500, office.at.clock.now()))
    shaky = office.through(failing(office.bills, [error], after=after, methods={"fetch"}))
    office.at.clock.at = MORNING_AFTER
    await service.open_due_bills(shaky.at.needs)
    day = await DailyBill.get(wallet=WALLET, day=DAY)
    with pytest.raises(type(error)):
        await service.fetch_bill(shaky.at.needs, bill_id=day.id)
    assert await BillFile.all().count() == 0
    assert await BillEntry.all().count() == 0

    for _ in range(2):
        await service.fetch_bill(shaky.at.needs, bill_id=day.id)
    assert office.bills.fetched == 1 + after
    await shaky.at.work(seconds=600)
    assert (await office.bill()).state is BillState.DIFFERS
    assert await BillFile.all().count() == 1
    assert await BillEntry.all().count() == 2
    assert [each.kind for each in await BillFinding.all()] == [FindingKind.MISSING_WITH_US]
    assert await parked() == []
