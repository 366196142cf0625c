"""The verbs: open an order, pay it, settle it on a wallet's word, poll what is unknown, give money back, reconcile."""

from payments.service.billing import conclude, fetch_again, fetch_bill, open_due_bills
from payments.service.calling_off import call_off
from payments.service.confirming import confirm_refund, decline_refund
from payments.service.giving_back import give_back
from payments.service.opening import open_order
from payments.service.paying import pay
from payments.service.polling import poll
from payments.service.refunding import refund
from payments.service.resolving import resolve_discrepancy, resolve_finding
from payments.service.settling import settle_notice

__all__ = [
    "call_off",
    "conclude",
    "confirm_refund",
    "decline_refund",
    "fetch_again",
    "fetch_bill",
    "give_back",
    "open_due_bills",
    "open_order",
    "pay",
    "poll",
    "refund",
    "resolve_discrepancy",
    "resolve_finding",
    "settle_notice",
]
