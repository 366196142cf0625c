"""What a parcel with a paper certificate goes through, in our words and in those people read."""

from enum import StrEnum


class ParcelState(StrEnum):
    """The first two, a cancellation before them and a loss are ours; the rest is what the carrier says."""

    REQUESTED = "requested"
    DISPATCHED = "dispatched"
    CREATED = "created"
    COLLECTED = "collected"
    TRANSIT = "transit"
    CUSTOMS = "customs"
    DELIVERING = "delivering"
    LOCKER = "locker"
    PROBLEM = "problem"
    REFUSED = "refused"
    RETURNING = "returning"
    RETURNED = "returned"
    LOST = "lost"
    SIGNED = "signed"
    CANCELLED = "cancelled"

    @property
    def text(self) -> str:
        return _TEXTS[self]

    @property
    def final(self) -> bool:
        """Whether nothing more is expected; a carrier may still correct itself."""
        return self in _FINAL


class SignedBy(StrEnum):
    """Who took the parcel, as far as the carrier says."""

    SELF = "self"
    OTHER = "other"
    LOCKER = "locker"


class Watch(StrEnum):
    """How we learn what becomes of a parcel.

    `pushed`: the carrier tells; `polled`: only we ask; `refused`: the carrier did not take the subscription, so we ask;
    `ended`: nothing more will come.
    """

    NONE = "none"
    PENDING = "pending"
    PUSHED = "pushed"
    POLLED = "polled"
    REFUSED = "refused"
    ABORTED = "aborted"
    ENDED = "ended"


class Settlement(StrEnum):
    """What staff found out of a parcel that the carrier's lists leave open."""

    NOT_SENT = "not_sent"
    HANDED_OVER = "handed_over"
    RETURNED = "returned"
    LOST = "lost"

    @property
    def text(self) -> str:
        return _SETTLEMENTS[self]


class PaperWay(StrEnum):
    """Where a certificate's paper is by its parcel: on its way, in its holder's hands, at the office, or lost."""

    POSTED = "posted"
    HANDED_OVER = "handed_over"
    KEPT = "kept"
    LOST = "lost"


class Attention(StrEnum):
    """Why a member of staff should look at a parcel."""

    SIGNED_BY_OTHER = "signed_by_other"
    SIGNER_UNKNOWN = "signer_unknown"
    PROBLEM = "problem"
    NOT_TAKEN = "not_taken"
    SILENT = "silent"

    @property
    def text(self) -> str:
        return _ATTENTION[self]


_TEXTS = {
    ParcelState.REQUESTED: "已申请邮寄",
    ParcelState.DISPATCHED: "已交寄",
    ParcelState.CREATED: "快递已下单",
    ParcelState.COLLECTED: "快递已揽收",
    ParcelState.TRANSIT: "运输中",
    ParcelState.CUSTOMS: "清关中",
    ParcelState.DELIVERING: "派送中",
    ParcelState.LOCKER: "已到自提点",
    ParcelState.PROBLEM: "派送遇到问题",
    ParcelState.REFUSED: "收件人拒收",
    ParcelState.RETURNING: "退回途中",
    ParcelState.RETURNED: "已退回登记机构",
    ParcelState.LOST: "邮寄中丢失",
    ParcelState.SIGNED: "已签收",
    ParcelState.CANCELLED: "已取消",
}
_ATTENTION = {
    Attention.SIGNED_BY_OTHER: "不是收件人本人签收，请核实",
    Attention.SIGNER_UNKNOWN: "快递没有说明由谁签收，请核实",
    Attention.PROBLEM: "派送遇到问题，请联系快递",
    Attention.NOT_TAKEN: "邮件被拒收或者退回，请与收件人联系",
    Attention.SILENT: "快递不再提供轨迹，请查询",
}
_SETTLEMENTS = {
    Settlement.NOT_SENT: "登记机构未能寄出",
    Settlement.HANDED_OVER: "登记机构已核实由本人领取",
    Settlement.RETURNED: "登记机构已收到退件",
    Settlement.LOST: "登记机构已核实邮件丢失",
}
_FINAL = frozenset((ParcelState.SIGNED, ParcelState.RETURNED, ParcelState.LOST, ParcelState.CANCELLED))
