"""What may be believed about money, decided without a database or a network. Amounts in fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kit.words import Worded

CURRENCY = "CNY"
FREE = "none"
"""The wallet of an order of zero fen, which settles by itself."""
WECHAT = "wechat"
ALIPAY = "alipay"
_WALLETS = {WECHAT: "微信支付", ALIPAY: "支付宝", FREE: "无需缴费"}

ATTEMPT_LASTS = timedelta(hours=1)
"""How long a resident may pay under one number; well inside the two hours that a prepay_id lives."""
REUSED_WITH = timedelta(minutes=10)
"""An attempt with at least this much time left is offered again instead of a second one beside it."""
PREPARED_WITH = timedelta(minutes=2)
"""A wallet takes no new order that ends within a minute; the other minute is for the clocks."""
FIRST_POLL_SECONDS = 30
LONGEST_POLL_SECONDS = 600


def wallet_text(wallet: str) -> str:
    """What a resident or finance reads of a wallet; one that we have no word for any more is shown by its code."""
    return _WALLETS.get(wallet, wallet)


class OrderState(Worded):
    """`called_off`: what it was for came to nothing before it was paid; money that still arrives goes back."""

    OPEN = "open", "待缴费"
    SETTLED = "settled", "已缴费"
    CALLED_OFF = "called_off", "无需缴费"


class AttemptState(Worded):
    """`preparing`: committed before the wallet is asked. `disputed`: the wallet's word does not fit; staff decide."""

    PREPARING = "preparing", "正在下单"
    READY = "ready", "待支付"
    PAID = "paid", "已支付"
    CLOSED = "closed", "已关闭"
    DISPUTED = "disputed", "核对中"

    @property
    def final(self) -> bool:
        """Nothing more is to be asked of the wallet."""
        return self in {AttemptState.PAID, AttemptState.CLOSED, AttemptState.DISPUTED}


class TradeState(StrEnum):
    """What a wallet says of a trade; `other` stands for words that we have never heard."""

    PAID = "paid"
    UNPAID = "unpaid"
    CLOSED = "closed"
    REFUNDED = "refunded"
    OTHER = "other"


class Fault(Worded):
    """Why a wallet's word about money is not taken as settlement; each becomes a row for staff."""

    UNKNOWN_NUMBER = "unknown_number", "单号不是我们的"
    UNREADABLE = "unreadable", "通知无法读取"
    MERCHANT_DIFFERS = "merchant_differs", "商户号不符"
    MERCHANT_CHANGED = "merchant_changed", "支付期间更换了商户号"
    APP_DIFFERS = "app_differs", "小程序不符"
    CURRENCY_DIFFERS = "currency_differs", "币种不符"
    AMOUNT_DIFFERS = "amount_differs", "金额不符"
    TRANSACTION_MISSING = "transaction_missing", "没有支付单号"
    TRANSACTION_REUSED = "transaction_reused", "支付单号已用于另一笔订单"
    TRANSACTION_DIFFERS = "transaction_differs", "支付单号与已记账的不符"
    REFUNDED = "refunded", "在钱包中已退款"
    NOT_PAID = "not_paid", "通知称未支付"
    PAID_TWICE = "paid_twice", "重复支付，等待退款"
    NOT_DUE = "not_due", "费用取消后仍支付，等待退款"
    UNKNOWN_REFUND = "unknown_refund", "退款不是我们发起的"
    REFUND_DIFFERS = "refund_differs", "退款内容不符"
    REFUND_CLOSED = "refund_closed", "退款被钱包关闭，需重新发起"
    REFUND_ABNORMAL = "refund_abnormal", "退款异常，需在商户平台处理"
    REFUND_REFUSED = "refund_refused", "钱包拒绝退款，排除原因后会自动再次申请"


class Verdict(StrEnum):
    """What follows from a wallet's word about one attempt."""

    SETTLE = "settle"
    WAIT = "wait"
    CLOSE = "close"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is charged for."""

    code: str
    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What an attempt was opened with."""

    out_trade_no: str
    amount_fen: int
    currency: str
    merchant_id: str
    app_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a wallet says of one trade, in our words; empty text where it said nothing."""

    out_trade_no: str
    trade_state: TradeState
    merchant_id: str
    app_id: str
    amount_fen: int | None = None
    currency: str = ""
    transaction_id: str = ""
    paid_at: datetime | None = None


def total(lines: Sequence[Line]) -> int:
    """The sum of the lines; ValueError for a negative one."""
    if any(line.amount_fen < 0 for line in lines):
        raise ValueError("a line of an order is never negative")
    return sum(line.amount_fen for line in lines)


def judge(expected: Expected, report: Report) -> tuple[Verdict, Fault | None]:
    """What a report means for the attempt; a fault comes with DISPUTE and only there."""
    if report.out_trade_no != expected.out_trade_no:
        return Verdict.DISPUTE, Fault.UNKNOWN_NUMBER
    if report.merchant_id != expected.merchant_id:
        return Verdict.DISPUTE, Fault.MERCHANT_DIFFERS
    if report.app_id != expected.app_id:
        return Verdict.DISPUTE, Fault.APP_DIFFERS
    if report.trade_state is TradeState.REFUNDED:
        return Verdict.DISPUTE, Fault.REFUNDED
    if report.trade_state is TradeState.CLOSED:
        return Verdict.CLOSE, None
    if report.trade_state is not TradeState.PAID:
        return Verdict.WAIT, None
    fault = _payment_fault(expected, report)
    return (Verdict.DISPUTE, fault) if fault else (Verdict.SETTLE, None)


def _payment_fault(expected: Expected, report: Report) -> Fault | None:
    if report.currency != expected.currency:
        return Fault.CURRENCY_DIFFERS
    if report.amount_fen != expected.amount_fen:
        return Fault.AMOUNT_DIFFERS
    return None if report.transaction_id else Fault.TRANSACTION_MISSING


def poll_delay(polls: int) -> int:
    """Seconds until the wallet is asked again after `polls` questions without a final answer."""
    return min(FIRST_POLL_SECONDS << min(polls, 10), LONGEST_POLL_SECONDS)


def may_be_reused(state: AttemptState, *, expires_at: datetime, now: datetime) -> bool:
    """Whether the same number is handed out again: two payable ones at once invite paying twice."""
    return state in {AttemptState.PREPARING, AttemptState.READY} and expires_at - now >= REUSED_WITH


def may_be_prepared(*, expires_at: datetime, now: datetime) -> bool:
    """Whether the wallet would still take the order under the end it was first given."""
    return expires_at - now >= PREPARED_WITH
