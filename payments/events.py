from dataclasses import dataclass
from typing import ClassVar

from kit.outbox import Event


@dataclass(frozen=True, slots=True)
class OrderOpened(Event):
    """Something is to be paid; not published for an order of zero fen."""

    name: ClassVar[str] = "payments.order_opened"
    order_id: str
    purpose: str
    subject_id: str

    @property
    def ordering_key(self) -> str:
        return self.subject_id


@dataclass(frozen=True, slots=True)
class AttemptOpened(Event):
    """A number was given to a wallet; published again, delayed, for as long as its fate is unknown."""

    name: ClassVar[str] = "payments.attempt_opened"
    attempt_id: str

    @property
    def ordering_key(self) -> str:
        return self.attempt_id


@dataclass(frozen=True, slots=True)
class NoticeArrived(Event):
    """A wallet's genuine notice lies in the inbox."""

    name: ClassVar[str] = "payments.notice_arrived"
    inbox_id: str
    out_trade_no: str

    @property
    def ordering_key(self) -> str:
        return self.out_trade_no


@dataclass(frozen=True, slots=True)
class PaymentSettled(Event):
    """An order is paid, once and for good."""

    name: ClassVar[str] = "payments.payment_settled"
    order_id: str
    purpose: str
    subject_id: str

    @property
    def ordering_key(self) -> str:
        return self.subject_id


@dataclass(frozen=True, slots=True)
class RefundOpened(Event):
    """Money is to go back; published again, delayed, for as long as its fate is unknown."""

    name: ClassVar[str] = "payments.refund_opened"
    refund_id: str

    @property
    def ordering_key(self) -> str:
        return self.refund_id


@dataclass(frozen=True, slots=True)
class RefundSettled(Event):
    """The wallet has given the money back."""

    name: ClassVar[str] = "payments.refund_settled"
    refund_id: str
    order_id: str
    purpose: str
    subject_id: str

    @property
    def ordering_key(self) -> str:
        return self.subject_id


@dataclass(frozen=True, slots=True)
class BillDue(Event):
    """A wallet's daily bill is to be fetched; published again, delayed, while it is not there or not explained."""

    name: ClassVar[str] = "payments.bill_due"
    bill_id: str

    @property
    def ordering_key(self) -> str:
        return self.bill_id
