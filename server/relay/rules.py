from enum import StrEnum

CASE_PACKAGE, PAPER = "case_package", "paper"


class MessageState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"


def goes_first(kind: str) -> bool:
    """Whether a message may be sent although nothing of its application has been; of a paper, it may have none."""
    return kind in {CASE_PACKAGE, PAPER}
