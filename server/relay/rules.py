from enum import StrEnum

CASE_PACKAGE = "case_package"


class MessageState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"


def goes_first(kind: str) -> bool:
    """Whether a message may be sent although nothing of its application has been."""
    return kind == CASE_PACKAGE
