"""What wallets said that does not fit: one row each for staff, however often it is heard."""

from dataclasses import dataclass

from kit.ids import new_id
from kit.log import get_logger
from payments.models import Attempt, Discrepancy, Refund
from payments.ports import Needs
from payments.rules import CURRENCY, Expected, Fault, Report

_LONGEST = 64  # characters of a number or a transaction id that a row keeps
log = get_logger("payments")


@dataclass(frozen=True, slots=True)
class Word:
    """A report with where it comes from; `inbox_id` is None for an answer to our own question."""

    wallet: str
    report: Report
    inbox_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a discrepancy holds; texts are cut to what a row keeps, amounts are in fen."""

    wallet: str
    about: str
    out_trade_no: str = ""
    transaction_id: str = ""
    inbox_id: str | None = None
    attempt: Attempt | None = None
    refund: Refund | None = None
    expected_fen: int | None = None
    reported_fen: int | None = None


async def keep(needs: Needs, fault: Fault, kept: Kept) -> None:
    """Write a discrepancy in the caller's transaction, unless the same is there already."""
    dedupe_key = f"{fault.value}:{kept.wallet}:{kept.about[:_LONGEST]}"
    if await Discrepancy.exists(dedupe_key=dedupe_key):
        return
    about = kept.attempt or kept.refund
    await Discrepancy.create(
        id=new_id(),
        dedupe_key=dedupe_key,
        fault=fault.value,
        wallet=kept.wallet,
        out_trade_no=kept.out_trade_no[:_LONGEST],
        transaction_id=kept.transaction_id[:_LONGEST],
        order_ref=about.order_id if about else None,
        attempt_ref=kept.attempt.id if kept.attempt else kept.refund.attempt_id if kept.refund else None,
        refund_ref=kept.refund.id if kept.refund else None,
        inbox_ref=kept.inbox_id,
        expected_fen=kept.expected_fen,
        reported_fen=kept.reported_fen,
        created_at=needs.clock.now(),
    )
    log.error("payment_discrepancy", fault=fault.value, wallet=kept.wallet, attempt=about.id if about else None)


async def keep_word(needs: Needs, fault: Fault, word: Word, attempt: Attempt | None) -> None:
    """The same, of a wallet's word about a payment."""
    report = word.report
    kept = Kept(
        wallet=word.wallet,
        about=report.transaction_id or report.out_trade_no,
        out_trade_no=report.out_trade_no,
        transaction_id=report.transaction_id,
        inbox_id=word.inbox_id,
        attempt=attempt,
        expected_fen=attempt.amount_fen if attempt else None,
        reported_fen=report.amount_fen,
    )
    await keep(needs, fault, kept)


def expected_of(attempt: Attempt) -> Expected:
    """What the wallet's word about the attempt is held against."""
    return Expected(
        out_trade_no=attempt.out_trade_no,
        amount_fen=attempt.amount_fen,
        currency=CURRENCY,
        merchant_id=attempt.merchant_id,
        app_id=attempt.app_id,
    )
