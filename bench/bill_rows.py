"""A day's bill of a wallet with as many lines as wanted, and our books of the very same day.

Started as `python -m bench.bill_rows <database url> <wallet> <file> <lines> <day>`.
"""

import asyncio
import gzip
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from tortoise.models import Model

from kit.clock import SHANGHAI, day_begins
from kit.db.connection import credentials, database
from kit.ids import new_id
from payments.models import Attempt, Order, Refund, Settlement
from payments.refund_rules import RefundCause, RefundState
from payments.rules import AttemptState, OrderState
from sandbox import credentials as partners
from sandbox.alipay.billing import Billing, Line
from sandbox.wechat.bills import Bills, Movement
from server.database import APPS

KEYS = cast(
    "partners.Keys",
    SimpleNamespace(app_id=partners.APP_ID, mchid=partners.MERCHANT_ID, alipay_seller_id=partners.ALIPAY_SELLER_ID),
)
_CLOCK = SimpleNamespace(now=lambda: datetime.now(UTC))
_NO_BOOKS = SimpleNamespace(read=lambda _: ())
_FEN = 8000
_REFUND_EACH = 100
_DAY_SECONDS = 86_400
_BATCH = 2000
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement of the day: a payment, or with `refund` its number a refund of one."""

    number: str
    transaction_id: str
    at: datetime
    refund: str = ""


def movements(day: date, *, lines: int) -> list[Moved]:
    """So many, one in a hundred a refund of the payment before it, spread over the day."""
    begins = day_begins(day)
    found: list[Moved] = []
    for serial in range(lines):
        at = begins + timedelta(seconds=serial * _DAY_SECONDS // lines)
        if serial % _REFUND_EACH == _REFUND_EACH - 1:
            found.append(Moved(found[-1].number, found[-1].transaction_id, at, refund=new_id()))
        else:
            found.append(Moved(new_id(), f"{day:%Y%m%d}{serial:020d}", at))
    return found


def written(wallet: str, day: date, moved: Sequence[Moved]) -> bytes:
    """The file as that wallet hands it out."""
    anything = cast("Any", SimpleNamespace())
    if wallet == "wechat":
        bills = Bills(
            keys=KEYS, clock=cast("Any", _CLOCK), books=cast("Any", _NO_BOOKS), orders=anything, refunds=anything,
            check_signature=lambda _: None,
        )  # fmt: skip
        return gzip.compress(bills.written([_movement(each) for each in moved]))
    billing = Billing(keys=KEYS, clock=cast("Any", _CLOCK), books=cast("Any", _NO_BOOKS), trades=anything)
    return billing.packed(day.isoformat(), [_line(each) for each in moved])


def _movement(moved: Moved) -> Movement:
    return Movement(
        at=moved.at.astimezone(SHANGHAI).isoformat(),
        openid="oBench00000000000000000000001",
        transaction_id=moved.transaction_id,
        out_trade_no=moved.number,
        amount=_FEN,
        refund_id=f"50{moved.refund}" if moved.refund else "",
        out_refund_no=moved.refund,
    )


def _line(moved: Moved) -> Line:
    at = f"{moved.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    return Line(
        trade_no=moved.transaction_id,
        out_trade_no=moved.number,
        subject="不动产登记费",
        created_at=at,
        at=at,
        amount=_FEN,
        out_request_no=moved.refund,
    )


async def book(wallet: str, moved: Sequence[Moved]) -> None:
    """Write all of it into our books; the database must be open."""
    rows = list(_rows(wallet, moved))
    for position in range(3):
        await _insert([row[position] for row in rows])
    by_number = {row[1].out_trade_no: row for row in rows}
    await _insert([_refund(by_number[each.number], each) for each in moved if each.refund])


async def _insert(rows: Sequence[M]) -> None:
    await type(rows[0]).bulk_create(rows, batch_size=_BATCH)


def _rows(wallet: str, moved: Sequence[Moved]) -> Iterator[tuple[Order, Attempt, Settlement]]:
    for each in moved:
        if not each.refund:
            order = _order(each)
            attempt = _attempt(wallet, order, each)
            yield order, attempt, _settlement(order, attempt, each)


def _order(moved: Moved) -> Order:
    order_id = new_id()
    return Order(
        id=order_id,
        purpose="bench",
        subject_id=new_id(),
        payer_id=new_id(),
        slot=f"bench:{order_id}",
        amount_fen=_FEN,
        state=OrderState.SETTLED,
        settled_at=moved.at,
        created_at=moved.at,
        updated_at=moved.at,
    )


def _attempt(wallet: str, order: Order, moved: Moved) -> Attempt:
    return Attempt(
        id=new_id(),
        order_id=order.id,
        out_trade_no=moved.number,
        wallet=wallet,
        merchant_id=partners.MERCHANT_ID,
        app_id=partners.APP_ID,
        amount_fen=_FEN,
        description="bench",
        payer_address_sealed="",
        state=AttemptState.PAID,
        next_poll_at=moved.at,
        expires_at=moved.at,
        created_at=moved.at,
        updated_at=moved.at,
    )


def _settlement(order: Order, attempt: Attempt, moved: Moved) -> Settlement:
    return Settlement(
        id=new_id(),
        order_id=order.id,
        attempt_id=attempt.id,
        wallet=attempt.wallet,
        transaction_id=moved.transaction_id,
        amount_fen=_FEN,
        paid_at=moved.at,
        created_at=moved.at,
    )


def _refund(row: tuple[Order, Attempt, Settlement], moved: Moved) -> Refund:
    order, attempt, _ = row
    return Refund(
        id=moved.refund,
        order_id=order.id,
        attempt_id=attempt.id,
        out_refund_no=moved.refund,
        wallet=attempt.wallet,
        cause=RefundCause.STAFF,
        amount_fen=_FEN,
        reason_sealed="",
        state=RefundState.SUCCEEDED,
        next_question_at=moved.at,
        taken_at=moved.at,
        refunded_at=moved.at,
        created_at=moved.at,
        updated_at=moved.at,
    )


async def _book(address: str, wallet: str, moved: Sequence[Moved]) -> None:
    async with database(credentials(address), APPS):
        await book(wallet, moved)


def main(address: str, wallet: str, path: str, lines: str, of_day: str) -> None:
    """Write the file, then our books."""
    day = date.fromisoformat(of_day)
    moved = movements(day, lines=int(lines))
    Path(path).write_bytes(written(wallet, day, moved))
    asyncio.run(_book(address, wallet, moved))


if __name__ == "__main__":
    main(*sys.argv[1:])
