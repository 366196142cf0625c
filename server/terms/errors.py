class TermError(ValueError):
    """A value that is not what it claims to be; `code` is stable, `sentence` tells a resident what to do.

    Neither ever repeats the value itself, so both may be logged.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
