"""What can be wrong with either wallet's side of the wire: a key that does not fit, a notice that nobody sent."""


class KeyProblemError(ValueError):
    """A key in the settings cannot be used; the message says what to do and holds nothing of the key."""


class BadNotice(Exception):
    """A notice that is not to be believed; `reason` is a stable word for the log, not for its sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
