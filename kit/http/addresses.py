"""What can be told of an address before anything is sent there."""

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def address_flaws(what: str, url: str) -> list[str]:
    """Sentences on what is wrong with a base URL: personal data travels over TLS, except to this very machine."""
    parts = urlsplit(url)
    if not parts.hostname:
        return [f"{what} {url} names no host"]
    if parts.scheme == "https" or parts.hostname in _LOOPBACK:
        return []
    return [f"{what} {url} is not https"]
