import unicodedata


def tidy(text: str) -> str:
    """Drop all white space, turn full-width digits, letters and brackets half-width, and upper-case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def stars(text: str, *, head: int, tail: int) -> str:
    """Keep `head` and `tail` characters of `text` and star those between; a text too short is all stars."""
    hidden = len(text) - head - tail
    if hidden <= 0:
        return "*" * len(text)
    return text[:head] + "*" * hidden + text[len(text) - tail :]
