from enum import Enum


class Refusal(Enum):
    """What a channel's refusal means here, whatever code it comes under."""

    NO_CONSENT = "no consent"
    FOR_GOOD = "for good"
    FOR_NOW = "for now"
