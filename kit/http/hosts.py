"""Whether an address is fit for real people's data: over TLS, to a host that is plainly another machine."""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

# Nothing that two readers could read in two ways: no user part, no backslash, no percent sign, no wide digits.
_PLAIN = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_NAMES = ("localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback")


def unfit_for_real_data(url: str) -> str | None:
    """Why nothing real may be sent to `url`, to be read behind its name; None when there is no reason."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return "is not https"
    if not _PLAIN.fullmatch(parts.netloc):
        return "does not name its host plainly"
    return "is on this machine" if is_this_machine(parts.hostname or "") else None


def address_flaws(what: str, url: str) -> list[str]:
    """Why `url` cannot be used even for trying things out, where this very machine may be spoken to without TLS."""
    if is_this_machine(urlsplit(url).hostname or ""):
        return []
    why = unfit_for_real_data(url)
    return [f"{what} {url} {why}"] if why else []


def is_this_machine(host: str) -> bool:
    """Whether a host is loopback or nobody's address, in any spelling that the resolver takes (127.1, 0x7f000001)."""
    name = host.rstrip(".").lower()
    if name in _NAMES or name.endswith(".localhost"):
        return True
    address = _address(name)
    if address is None:
        return False
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any(one.is_loopback or one.is_unspecified for one in (address, inner) if one is not None)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return None
