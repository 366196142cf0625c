"""One wallet's bill of one day, fetched and matched as the worker does it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

from payments import bill_queries, service
from payments.bill_queries import BillView, FindingView
from payments.bill_rules import due_from
from payments.bills.matching import FindingKind
from payments.ports import Bills
from payments.providers.fake_bills import FakeBills
from tests.factories.payments import WALLET, Till, till

DAY = date(2026, 3, 16)
MORNING_AFTER = due_from(DAY)


@dataclass
class Office:
    """A till and the bill of one wallet and one day that is looked at."""

    at: Till
    bills: FakeBills

    async def open_up(self, when: datetime = MORNING_AFTER) -> BillView:
        """The timer fires at `when`, the worker does what is due; the day's bill."""
        self.at.clock.at = max(self.at.clock.at, when)
        await service.open_due_bills(self.at.needs)
        await self.at.work()
        return await self.bill()

    async def bill(self, day: date = DAY) -> BillView:
        found = await bill_queries.bills(self.at.needs, day=day, limit=10)
        (bill,) = [each for each in found if each.wallet == WALLET]
        return bill

    async def findings(self, day: date = DAY) -> list[FindingView]:
        return await bill_queries.findings(self.at.needs, bill_id=(await self.bill(day)).id)

    async def open_kinds(self, day: date = DAY) -> list[FindingKind]:
        return [each.kind for each in await self.findings(day) if each.open]

    def through(self, bills: Bills) -> "Office":
        other = self.at.through(self.at.wallet)
        other.needs = replace(other.needs, bills={**other.needs.bills, WALLET: bills})
        other.drain.house.payments = other.needs
        return Office(other, self.bills)


def bill_office() -> Office:
    """A till of its own, and the fake bills of its wallet."""
    at = till()
    return Office(at, cast("FakeBills", at.needs.bills[WALLET]))
