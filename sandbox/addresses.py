from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST = 255


def may_be_called(url: str) -> bool:
    """Whether a partner would notify there: HTTPS, or HTTP on loopback, where no certificate can be had."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a broken IPv6 host
        return False
    if len(url) > _LONGEST or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
