"""Side effects as rows: written with the change that causes them, carried out by the worker, in order, once done."""

from kit.outbox.event import Event, Handler
from kit.outbox.publish import Outbox

__all__ = ["Event", "Handler", "Outbox"]
