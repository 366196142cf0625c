"""Where an application and each of its parties stand, in our words and in those residents read."""

from enum import StrEnum

from kit.words import Worded

NOTICE = "notice"
"""The code of the step that is what an officer wrote to the parties; its note is sealed."""


class State(Worded):
    """From draft to certificate in a line; the last four end it aside."""

    DRAFT = "draft", "填写中"
    AWAITING_CONFIRMATION = "awaiting_confirmation", "等待各方确认"
    SUBMITTED = "submitted", "已提交，等待受理"
    CORRECTION_ASKED = "correction_asked", "需要补正"
    ACCEPTED = "accepted", "已受理，办理中"
    ENTERED = "entered", "已登簿"
    CERTIFICATE_MADE = "certificate_made", "证书已制作"
    PARTY_REFUSED = "party_refused", "有一方未同意，已终止"
    REFUSED = "refused", "不予受理或者不予登记"
    WITHDRAWN = "withdrawn", "已撤回"
    EXPIRED = "expired", "逾期未完成，已失效"


class PartyState(Worded):
    WAITING = "waiting", "待确认"
    CONFIRMED = "confirmed", "已确认"
    REFUSED = "refused", "不同意"


class TrackState(Worded):
    """`waived` counts as done."""

    NOT_STARTED = "not_started", "未开始"
    OPEN = "open", "办理中"
    DONE = "done", "已办结"
    WAIVED = "waived", "无需办理"
    FAILED = "failed", "未通过"


class Origin(StrEnum):
    """How a file of a material came: from a party's phone, or from a department."""

    UPLOAD = "upload"
    SHARED = "shared"


class Hold(StrEnum):
    """What must end before an application may be withdrawn, expire or be deleted."""

    PAYMENT = "payment"
