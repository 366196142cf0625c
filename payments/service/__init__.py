"""The verbs: open an order, pay it, settle it on a wallet's word, poll what is unknown."""

from payments.service.opening import open_order
from payments.service.paying import pay
from payments.service.polling import poll
from payments.service.settling import settle_notice

__all__ = ["open_order", "pay", "poll", "settle_notice"]
