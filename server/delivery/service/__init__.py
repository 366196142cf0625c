"""The verbs: ask for the paper, send it, watch it, record what the carrier says and what staff find out."""

from server.delivery.service.asking import Receiver, cancel, request
from server.delivery.service.dispatching import Label, correct_waybill, dispatch, label
from server.delivery.service.recording import record_push
from server.delivery.service.settling import explain_stray, settle
from server.delivery.service.watching import poll, subscribe

__all__ = [
    "Label",
    "Receiver",
    "cancel",
    "correct_waybill",
    "dispatch",
    "explain_stray",
    "label",
    "poll",
    "record_push",
    "request",
    "settle",
    "subscribe",
]
