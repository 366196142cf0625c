"""What wallets are asked after the request is answered: did it pay, give it back, what stands on the day's bill."""

from payments import service as payments
from payments.events import AttemptOpened, BillDue, NoticeArrived, RefundOpened
from server.journeys.house import House


async def settle_notice(house: House, event: NoticeArrived) -> None:
    """Work on a wallet's notice."""
    await payments.settle_notice(house.payments, inbox_id=event.inbox_id)


async def poll(house: House, event: AttemptOpened) -> None:
    """Ask the wallet what became of an attempt."""
    await payments.poll(house.payments, attempt_id=event.attempt_id)


async def give_back(house: House, event: RefundOpened) -> None:
    """Ask a wallet to give money back, or what became of it."""
    await payments.give_back(house.payments, refund_id=event.refund_id)


async def fetch_bill(house: House, event: BillDue) -> None:
    """Fetch a wallet's daily bill and hold it against our books."""
    await payments.fetch_bill(house.payments, bill_id=event.bill_id)
