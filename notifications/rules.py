"""By which ways a message goes, and what becomes of one delivery; pure."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import orjson

from notifications import fields
from notifications.fields import NOTHING, one_line, shortened
from notifications.templates import Limits, SmsUse, Template

INBOX = "inbox"
"""The channel that always reaches: the message itself, kept with us."""
WECHAT, ALIPAY, SMS = "wechat", "alipay", "sms"

RECEIPT_AFTER = (60, 300, 1800, 7200, 21600, 86400, 86400)
"""Seconds until each question what became of a text message; the provider keeps the answer for some days."""

_ONE_SEGMENT, _LONG_SEGMENT, _SIGNATURE = 70, 67, 14


class DeliveryState(StrEnum):
    """What became of one delivery.

    `skipped`: there was no way to reach the person, which is nobody's fault; `failed`: staff should look; `received`
    and `undelivered`: what a text message's receipt says after it was sent.
    """

    QUEUED = "queued"
    SENT = "sent"
    RECEIVED = "received"
    UNDELIVERED = "undelivered"
    SKIPPED = "skipped"
    FAILED = "failed"


class Skipped(StrEnum):
    """Why nothing was sent."""

    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    NO_TEMPLATE = "no_template"
    TOO_MANY = "too_many"
    NOT_MEANT = "not_meant"


class Agreement(StrEnum):
    """What a channel asks of the person: nothing, a tap for each message, or one tap for all of a template."""

    NONE = "none"
    ONCE = "once"
    STANDING = "standing"


def ways(used: Sequence[str], channels: Collection[str], *, template: Template) -> list[str]:
    """The channels to try in this order: the wallets by last use, then a text message where the template says so."""
    wallets = [wallet for wallet in used if wallet in channels and wallet != SMS]
    by_text = [SMS] if template.sms is SmsUse.FALLBACK and SMS in channels else []
    return [*wallets, *by_text]


def fitted_for(channel: str, given: Mapping[str, str], limits: Limits) -> dict[str, str]:
    """The fields of a message as the channel takes them; ValueError for what no shortening can mend."""
    if channel == ALIPAY:
        fitting = {name: shortened(one_line(text), limits.alipay_value) or NOTHING for name, text in given.items()}
        if data_length(fitting) > limits.alipay_data:
            raise ValueError("the message is longer than Alipay takes")
        return fitting
    if channel == SMS:
        return {name: shortened(one_line(text), limits.sms_param) or NOTHING for name, text in given.items()}
    return fields.fitted(given)


def data_length(given: Mapping[str, str]) -> int:
    """How long the `data` of an Alipay message is, in bytes, the most that any count comes to."""
    return len(orjson.dumps({name: {"value": text} for name, text in given.items()}))


def segments(text: str) -> int:
    """How many text messages this is charged as; the signature in its brackets stands in front and counts too."""
    length = fields.units(text) + _SIGNATURE
    return 1 if length <= _ONE_SEGMENT else -(-length // _LONG_SEGMENT)
