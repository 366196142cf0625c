"""The verbs: ask for the paper, send it, watch it, record what the carrier says."""

from server.delivery.service.asking import Receiver, cancel, request
from server.delivery.service.dispatching import Label, dispatch, label
from server.delivery.service.recording import record_push
from server.delivery.service.watching import poll, subscribe

__all__ = ["Label", "Receiver", "cancel", "dispatch", "label", "poll", "record_push", "request", "subscribe"]
