"""Faults to order: what goes wrong, where, and how often."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

STALE_SECONDS, HELD_SECONDS = 600.0, 30.0


class Kind(StrEnum):
    DELAY = "delay"
    DROP = "drop"
    DUPLICATE = "duplicate"
    WRONG_SIGNATURE = "wrong_signature"
    STATUS = "status"
    STALE_CLOCK = "stale_clock"
    OUT_OF_ORDER = "out_of_order"


_ANSWERING = frozenset({Kind.DELAY, Kind.DROP, Kind.STATUS})
_SIGNED_ANSWERING = _ANSWERING | {Kind.WRONG_SIGNATURE}
# Signatures that carry the moment they were made at.
_STAMPED_ANSWERING = _SIGNED_ANSWERING | {Kind.STALE_CLOCK}
_NOTIFYING = frozenset({Kind.DELAY, Kind.DROP, Kind.DUPLICATE, Kind.WRONG_SIGNATURE, Kind.OUT_OF_ORDER})
_STAMPED_NOTIFYING = _NOTIFYING | {Kind.STALE_CLOCK}

# Where a fault may strike, and which kinds mean something there.
TARGETS = {
    "wechat.jscode2session": _ANSWERING,
    "wechat.token": _ANSWERING,
    "wechat.phone": _ANSWERING,
    "wechat.message": _ANSWERING,
    "wechat.face_open": _ANSWERING,
    "wechat.face_query": _ANSWERING,
    "pay.order": _STAMPED_ANSWERING,
    "pay.query": _STAMPED_ANSWERING,
    "pay.close": _STAMPED_ANSWERING,
    "pay.notify": _STAMPED_NOTIFYING,
    "pay.refund": _STAMPED_ANSWERING,
    "pay.refund_query": _STAMPED_ANSWERING,
    "pay.bill": _STAMPED_ANSWERING,
    "pay.bill_download": _ANSWERING,
    "pay.refund_notify": _STAMPED_NOTIFYING,
    "alipay.gateway": _SIGNED_ANSWERING,
    "alipay.oauth": _SIGNED_ANSWERING,
    "alipay.certify_open": _SIGNED_ANSWERING,
    "alipay.certify_page": _ANSWERING,
    "alipay.certify_query": _SIGNED_ANSWERING,
    "alipay.trade_create": _SIGNED_ANSWERING,
    "alipay.trade_query": _SIGNED_ANSWERING,
    "alipay.trade_close": _SIGNED_ANSWERING,
    "alipay.refund": _SIGNED_ANSWERING,
    "alipay.refund_query": _SIGNED_ANSWERING,
    "alipay.bill": _SIGNED_ANSWERING,
    "alipay.bill_download": _ANSWERING,
    "alipay.message": _SIGNED_ANSWERING,
    "alipay.subscribe_query": _SIGNED_ANSWERING,
    "alipay.notify": _STAMPED_NOTIFYING,
    "sms.send": _ANSWERING,
    "sms.status": _ANSWERING,
    "carrier.poll": _ANSWERING,
    "carrier.query": _ANSWERING,
    "carrier.sf": _ANSWERING,
    "carrier.notify": _NOTIFYING,
    "tax.status": _STAMPED_ANSWERING,
    "tax.declare": _STAMPED_ANSWERING,
    "tax.notify": _STAMPED_NOTIFYING,
    "departments.marriage": _STAMPED_ANSWERING,
    "departments.household": _STAMPED_ANSWERING,
    "departments.status": _STAMPED_ANSWERING,
}


@dataclass(slots=True)
class Fault:
    """`times` 0 means until cleared; `after` lets the work be done before the answer is lost.

    `seconds`: how long a `delay` lasts, how old the stamp of a `stale_clock` is (unset: 10 minutes), and how long a
    notification `out_of_order` waits at most for the next one of its target to pass it (unset: 30).
    """

    target: str
    kind: Kind
    seconds: float = 0.0
    status: int = 503
    code: str | int | None = None
    after: bool = False
    times: int = 1


class Faults:
    """A queue per target; each call there meets the fault at its head."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Fault]] = defaultdict(list)

    def add(self, fault: Fault) -> None:
        """Raises ValueError for a target that does not exist or a kind that means nothing there."""
        if fault.kind not in TARGETS.get(fault.target, frozenset()):
            raise ValueError(f"no fault {fault.kind} at {fault.target}; there are {_menu()}")
        self._queues[fault.target].append(fault)

    def take(self, target: str) -> Fault | None:
        queue = self._queues[target]
        if not queue:
            return None
        fault = queue[0]
        if fault.times == 1:
            queue.pop(0)
        elif fault.times > 1:
            fault.times -= 1
        return fault

    def pending(self) -> list[dict[str, Any]]:
        return [asdict(fault) for queue in self._queues.values() for fault in queue]

    def clear(self) -> None:
        self._queues.clear()


def _menu() -> dict[str, list[str]]:
    return {target: sorted(kinds) for target, kinds in TARGETS.items()}
