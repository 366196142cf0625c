"""Trades as Alipay keeps them: what was ordered, paid, refunded, and what the merchant has been told."""

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.alipay.money import yuan
from sandbox.answers import compact
from sandbox.books import Books
from sandbox.clock import BEIJING, Clock

WAITING, PAID, FINISHED, CLOSED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"
_REFUNDABLE = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Amounts in fen, moments as Alipay writes them (Beijing, without offset); `buyer` is a person's key.

    `refunds` hold out_request_no, amount, reason, at; `notices` the notify_id, subject and parameters of what was
    told, and whether the merchant has said `success`.
    """

    out_trade_no: str
    trade_no: str
    buyer: str
    total: int
    subject: str
    notify_url: str | None
    asked: dict[str, Any]
    created_at: str
    expires_at: str
    status: str = WAITING
    paid_at: str | None = None
    closed_at: str | None = None
    refunds: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refunded(self) -> int:
        return sum(each["amount"] for each in self.refunds)

    @property
    def was_paid(self) -> bool:
        return self.paid_at is not None

    def refund(self, out_request_no: str) -> dict[str, Any] | None:
        return next((each for each in self.refunds if each["out_request_no"] == out_request_no), None)

    def fund_bill_list(self) -> str:
        """What was paid with: JSON as text, whose bytes are part of every signature over it."""
        return compact([{"amount": yuan(self.total), "fundChannel": "ALIPAYACCOUNT"}]).decode()


class Trades:
    """Every change is written down; a restart finds all trades as they were."""

    def __init__(self, *, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        self._by_number: dict[str, Trade] = {}
        for entry in books.read("alipay_trades"):
            trade = Trade(**entry["trade"])
            self._by_number[trade.out_trade_no] = trade

    def all(self) -> list[Trade]:
        return [self._aged(trade) for trade in list(self._by_number.values())]

    def get(self, out_trade_no: str) -> Trade | None:
        trade = self._by_number.get(out_trade_no)
        return self._aged(trade) if trade else None

    def by_trade_no(self, trade_no: str) -> Trade | None:
        return next((each for each in self.all() if each.trade_no == trade_no), None)

    def open(
        self, *, buyer: str, total: int, expires_at: datetime, notify_url: str | None, asked: dict[str, Any]
    ) -> Trade:
        return self._save(
            Trade(
                out_trade_no=asked["out_trade_no"],
                trade_no=f"{self._today()}22001{secrets.randbelow(10**15):015}",
                buyer=buyer,
                total=total,
                subject=asked["subject"],
                notify_url=notify_url,
                asked=asked,
                created_at=self._now(),
                expires_at=written(expires_at),
            )
        )

    def pay(self, trade: Trade) -> Trade:
        return self._save(replace(trade, status=PAID, paid_at=self._now()))

    def close(self, trade: Trade) -> Trade:
        return self._save(replace(trade, status=CLOSED, closed_at=self._now()))

    def refund(self, trade: Trade, *, out_request_no: str, amount: int, reason: str | None) -> Trade:
        """Money goes back; when all of it has, the trade is closed."""
        refund = {"out_request_no": out_request_no, "amount": amount, "reason": reason, "at": self._now()}
        after = replace(trade, refunds=[*trade.refunds, refund])
        if after.refunded == trade.total:
            after = replace(after, status=CLOSED, closed_at=self._now())
        return self._save(after)

    def add_notice(self, trade: Trade, *, subject: str, params: dict[str, str]) -> tuple[Trade, dict[str, Any]]:
        """Keep what is to be told, under a notify_id that stays the same for every attempt."""
        notify_id = f"{self._today()}00222{secrets.token_hex(13)}"
        notice = {"notify_id": notify_id, "subject": subject, "params": params, "accepted": False}
        return self._save(replace(trade, notices=[*trade.notices, notice])), notice

    def mark_accepted(self, out_trade_no: str, notify_id: str) -> None:
        trade = self._by_number[out_trade_no]
        notices = [each | {"accepted": each["accepted"] or each["notify_id"] == notify_id} for each in trade.notices]
        self._save(replace(trade, notices=notices))

    def unaccepted(self) -> Iterator[tuple[Trade, dict[str, Any]]]:
        """What the merchant has not acknowledged."""
        return ((trade, each) for trade in self.all() for each in trade.notices if not each["accepted"])

    def _aged(self, trade: Trade) -> Trade:
        now = self._clock.now()
        if trade.status == WAITING and read(trade.expires_at) <= now:
            return self.close(trade)
        if trade.status == PAID and trade.paid_at and read(trade.paid_at) + _REFUNDABLE <= now:
            return self._save(replace(trade, status=FINISHED))
        return trade

    def _now(self) -> str:
        return written(self._clock.now())

    def _today(self) -> str:
        return f"{self._clock.now().astimezone(BEIJING):%Y%m%d}"

    def _save(self, trade: Trade) -> Trade:
        self._by_number[trade.out_trade_no] = trade
        self._books.write("alipay_trades", {"trade": asdict(trade)})
        return trade


def written(moment: datetime) -> str:
    """yyyy-MM-dd HH:mm:ss in Beijing."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def read(text: str) -> datetime:
    """The reverse of `written`, in UTC; raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).astimezone(UTC)
