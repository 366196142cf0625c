"""What a parcel with a paper certificate goes through, in our words and in those people read."""

from enum import StrEnum

from kit.words import Worded


class ParcelState(Worded):
    """The first two, a cancellation before them and a loss are ours; the rest is what the carrier says."""

    REQUESTED = "requested", "已申请邮寄"
    DISPATCHED = "dispatched", "已交寄"
    CREATED = "created", "快递已下单"
    COLLECTED = "collected", "快递已揽收"
    TRANSIT = "transit", "运输中"
    CUSTOMS = "customs", "清关中"
    DELIVERING = "delivering", "派送中"
    LOCKER = "locker", "已到自提点"
    PROBLEM = "problem", "派送遇到问题"
    REFUSED = "refused", "收件人拒收"
    RETURNING = "returning", "退回途中"
    RETURNED = "returned", "已退回登记机构"
    LOST = "lost", "邮寄中丢失"
    SIGNED = "signed", "已签收"
    CANCELLED = "cancelled", "已取消"

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


class Settlement(Worded):
    """What staff found out of a parcel that the carrier's lists leave open."""

    NOT_SENT = "not_sent", "登记机构未能寄出"
    HANDED_OVER = "handed_over", "登记机构已核实由本人领取"
    RETURNED = "returned", "登记机构已收到退件"
    LOST = "lost", "登记机构已核实邮件丢失"


class PaperWay(StrEnum):
    """Where a certificate's paper is by its parcel: on its way, in its holder's hands, at the office, or lost."""

    POSTED = "posted"
    HANDED_OVER = "handed_over"
    KEPT = "kept"
    LOST = "lost"


class Attention(Worded):
    """Why a member of staff should look at a parcel."""

    SIGNED_BY_OTHER = "signed_by_other", "不是收件人本人签收，请核实"
    SIGNER_UNKNOWN = "signer_unknown", "快递没有说明由谁签收，请核实"
    PROBLEM = "problem", "派送遇到问题，请联系快递"
    NOT_TAKEN = "not_taken", "邮件被拒收或者退回，请与收件人联系"
    SILENT = "silent", "快递不再提供轨迹，请查询"


_FINAL = frozenset((ParcelState.SIGNED, ParcelState.RETURNED, ParcelState.LOST, ParcelState.CANCELLED))
