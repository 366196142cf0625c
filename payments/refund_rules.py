"""What may be given back, and what a wallet's word about it means; decided without a database or a network.

Amounts in fen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kit.words import Worded
from payments.rules import Expected, Fault, Report, TradeState

REFUNDED_WITHIN = timedelta(days=365)
"""Both wallets take a payment back for a year; WeChat Pay counts days, so do we."""
MOST_REFUNDS = 50
"""Of one payment (WeChat Pay); Alipay allows more."""
FIRST_QUESTION_SECONDS = 10
"""Alipay shows a refund to a query ten seconds after it was asked for."""
LONGEST_QUESTION_SECONDS = 600
STUCK_QUESTION_SECONDS = 6 * 3600
"""Between questions about a refund that waits for people: a balance to be topped up, a card that is gone."""
QUESTIONS_END = timedelta(days=30)


class RefundState(Worded):
    """Of a refund as we keep it; `unknown` is only ever a wallet's word, and of `awaiting` no wallet has heard."""

    AWAITING = "awaiting", "等待另一位财务人员复核"
    REQUESTED = "requested", "已申请退款"
    PROCESSING = "processing", "退款处理中"
    SUCCEEDED = "succeeded", "已退款"
    CLOSED = "closed", "退款已关闭"
    ABNORMAL = "abnormal", "退款异常，核对中"
    UNKNOWN = "unknown", "退款处理中"

    @property
    def final(self) -> bool:
        """Nothing more will become of it under this number."""
        return self in {RefundState.SUCCEEDED, RefundState.CLOSED}


class RefundCause(Worded):
    """Why money goes back."""

    SECOND_PAYMENT = "second_payment", "重复支付自动退款"
    NOT_DUE = "not_due", "费用已取消自动退款"
    STAFF = "staff", "财务退款"


class RefundVerdict(StrEnum):
    """What follows from a wallet's word about one refund."""

    SUCCEED = "succeed"
    WAIT = "wait"
    CLOSE = "close"
    ABNORMAL = "abnormal"
    DISPUTE = "dispute"


class RefundFlaw(StrEnum):
    """Why a refund is not taken on."""

    TOO_LARGE = "too_large"
    TOO_LATE = "too_late"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a wallet says of one refund; `amount_fen` None and texts empty where it said nothing."""

    out_refund_no: str
    state: RefundState
    amount_fen: int | None = None
    refund_id: str = ""
    refunded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """What a wallet pushes about a refund: a hint of which one to ask about, and whose it claims to be.

    `app_id` is empty where such a notice names none; `amount_fen` is this refund's and `total_fen` the payment's, None
    where the wallet does not say.
    """

    out_trade_no: str
    out_refund_no: str
    merchant_id: str
    app_id: str
    amount_fen: int | None = None
    total_fen: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedRefund:
    """What a refund was asked for with."""

    out_trade_no: str
    out_refund_no: str
    amount_fen: int
    total_fen: int
    merchant_id: str
    app_id: str


def flaw_of(
    *, amount_fen: int, paid_fen: int, earlier_fen: int, earlier: int, paid_at: datetime, now: datetime
) -> RefundFlaw | None:
    """What stands against giving `amount_fen` back; `earlier_fen` is what earlier refunds took or still may take."""
    if not 0 < amount_fen <= paid_fen - earlier_fen:
        return RefundFlaw.TOO_LARGE
    if now - paid_at > REFUNDED_WITHIN:
        return RefundFlaw.TOO_LATE
    return RefundFlaw.TOO_MANY if earlier >= MOST_REFUNDS else None


def needs_second(*, amount_fen: int, earlier_fen: int, from_fen: int | None) -> bool:
    """Whether somebody else of finance must confirm what one asks for; None for `from_fen` means never.

    What staff gave back of the same payment before counts with it, so that parts are no way around.
    """
    return from_fen is not None and amount_fen + earlier_fen >= from_fen


def held_fen(expected: Expected, report: Report | None) -> int | None:
    """What a wallet holds of a disputed payment, by its own answer; None when that is nothing, or none of ours."""
    if report is None or report.trade_state is not TradeState.PAID:
        return None
    ours = (expected.out_trade_no, expected.merchant_id, expected.currency)
    if (report.out_trade_no, report.merchant_id, report.currency) != ours:
        return None
    return report.amount_fen or None


def judge_refund(expected: ExpectedRefund, report: RefundReport) -> tuple[RefundVerdict, Fault | None]:
    """What a wallet's own answer means for the refund; a fault comes with everything that staff must see."""
    if report.out_refund_no != expected.out_refund_no:
        return RefundVerdict.DISPUTE, Fault.REFUND_DIFFERS
    if report.amount_fen is not None and report.amount_fen != expected.amount_fen:
        return RefundVerdict.DISPUTE, Fault.REFUND_DIFFERS
    if report.state is RefundState.SUCCEEDED:
        return RefundVerdict.SUCCEED, None
    if report.state is RefundState.CLOSED:
        return RefundVerdict.CLOSE, Fault.REFUND_CLOSED
    if report.state is RefundState.ABNORMAL:
        return RefundVerdict.ABNORMAL, Fault.REFUND_ABNORMAL
    return RefundVerdict.WAIT, None


def notice_fault(expected: ExpectedRefund, notice: RefundNotice) -> Fault | None:
    """What in a notice cannot be true of our refund."""
    if notice.merchant_id != expected.merchant_id:
        return Fault.MERCHANT_DIFFERS
    if notice.app_id not in {"", expected.app_id}:
        return Fault.APP_DIFFERS
    if notice.out_trade_no != expected.out_trade_no:
        return Fault.UNKNOWN_REFUND
    if notice.amount_fen not in {None, expected.amount_fen} or notice.total_fen not in {None, expected.total_fen}:
        return Fault.REFUND_DIFFERS
    return None


def question_delay(questions: int, *, stuck: bool) -> int:
    """Seconds until the wallet is asked again; `stuck` when people must do something first."""
    if stuck:
        return STUCK_QUESTION_SECONDS
    return min(FIRST_QUESTION_SECONDS << min(questions, 10), LONGEST_QUESTION_SECONDS)


def asked_no_more(*, created_at: datetime, now: datetime) -> bool:
    """Whether a refund has been open for so long that only its discrepancy is left."""
    return now - created_at > QUESTIONS_END
