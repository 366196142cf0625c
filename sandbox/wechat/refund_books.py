"""Refunds as WeChat Pay keeps them: taken on at once, carried out later, or not."""

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.wechat.pay_orders import Order

ENDS = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`amount` and `total` in fen; `asked_at` in seconds; `notified` once the merchant knows how it ended."""

    out_refund_no: str
    out_trade_no: str
    transaction_id: str
    refund_id: str
    amount: int
    total: int
    reason: str | None
    notify_url: str | None
    asked_at: int
    create_time: str
    status: str = "PROCESSING"
    success_time: str | None = None
    notified: bool = False

    @property
    def counts(self) -> bool:
        """Whether the money is gone or going: what was closed stays with the merchant."""
        return self.status != "CLOSED"

    def describe(self) -> dict[str, Any]:
        """The refund as asking for it and asking about it show it."""
        shown: dict[str, Any] = {
            "refund_id": self.refund_id,
            "out_refund_no": self.out_refund_no,
            "transaction_id": self.transaction_id,
            "out_trade_no": self.out_trade_no,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": self.create_time,
            "status": self.status,
            "funds_account": "AVAILABLE",
            "amount": {
                "total": self.total,
                "refund": self.amount,
                "payer_total": self.total,
                "payer_refund": self.amount,
                "settlement_refund": self.amount,
                "settlement_total": self.total,
                "discount_refund": 0,
                "currency": "CNY",
            },
        }
        return shown | ({"success_time": self.success_time} if self.success_time else {})

    def tell(self, mchid: str) -> dict[str, Any]:
        """The refund as its notification shows it: another field for the status, and no currency."""
        told: dict[str, Any] = {
            "mchid": mchid,
            "transaction_id": self.transaction_id,
            "out_trade_no": self.out_trade_no,
            "refund_id": self.refund_id,
            "out_refund_no": self.out_refund_no,
            "refund_status": self.status,
            "user_received_account": "支付用户零钱",
            "amount": {
                "total": self.total,
                "refund": self.amount,
                "payer_total": self.total,
                "payer_refund": self.amount,
            },
        }
        return told | ({"success_time": self.success_time} if self.success_time else {})


class Refunds:
    """Every change is written down; a restart finds all refunds as they were."""

    def __init__(self, *, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        self._by_number: dict[str, Refund] = {}
        for entry in books.read("refunds"):
            refund = Refund(**entry["refund"])
            self._by_number[refund.out_refund_no] = refund

    def all(self) -> list[Refund]:
        return list(self._by_number.values())

    def get(self, out_refund_no: str) -> Refund | None:
        return self._by_number.get(out_refund_no)

    def of_order(self, out_trade_no: str) -> list[Refund]:
        return [each for each in self.all() if each.out_trade_no == out_trade_no and each.counts]

    def unfinished(self) -> Iterator[Refund]:
        return (each for each in self.all() if each.status == "PROCESSING")

    def untold(self) -> Iterator[Refund]:
        """Ended, and the merchant has not acknowledged it."""
        return (each for each in self.all() if each.status in ENDS and each.notify_url and not each.notified)

    def open(self, order: Order, asked: dict[str, Any]) -> Refund:
        now = self._clock.now()
        return self._save(
            Refund(
                out_refund_no=asked["out_refund_no"],
                out_trade_no=order.out_trade_no,
                transaction_id=order.transaction_id or "",
                refund_id=f"5030{now:%Y%m%d}{secrets.randbelow(10**16):016}",
                amount=asked["amount"],
                total=order.total,
                reason=asked["reason"],
                notify_url=asked["notify_url"],
                asked_at=self._clock.timestamp(),
                create_time=self._clock.beijing(),
            )
        )

    def end(self, refund: Refund, status: str) -> Refund:
        success_time = self._clock.beijing() if status == "SUCCESS" else None
        return self._save(replace(refund, status=status, success_time=success_time, notified=False))

    def mark_notified(self, out_refund_no: str) -> None:
        self._save(replace(self._by_number[out_refund_no], notified=True))

    def _save(self, refund: Refund) -> Refund:
        self._by_number[refund.out_refund_no] = refund
        self._books.write("refunds", {"refund": asdict(refund)})
        return refund
