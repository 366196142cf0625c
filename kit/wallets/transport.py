"""One request to a wallet's server, and nothing secret in what is raised when it fails."""

import json
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from kit.errors import OutsideError

_SLOW = 408
_TOO_MANY = 429
_SERVER_SIDE = 500


class Http(Protocol):
    """The house's HTTP client: timeouts, limits and connection reuse are its business."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response: ...


class Downloading(Protocol):
    """The same client, as far as files go: status and bytes of one, at most so many."""

    async def download(
        self, url: str, *, most_bytes: int, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]: ...


def base_url(text: str) -> str:
    """Return the URL without its last slash; raise ValueError unless it is https, or http on loopback."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    if not host or parts.query or parts.fragment or parts.username:
        raise ValueError("a wallet's base URL is a scheme, a host and at most a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError(f"a wallet is spoken to over https; http only on loopback: {host}")
    return text.rstrip("/")


async def send(
    http: Http,
    system: str,
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send once. Raise OutsideError TIMEOUT or UNREACHABLE, both transient, when no answer came."""
    permanent = False
    try:
        return await http.request(method, url, content=content, headers=headers, params=params)
    except (httpx.TimeoutException, TimeoutError):
        code, message = "TIMEOUT", "no answer in time"
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        code, message = "UNREACHABLE", "no connection, or it broke"
    except OutsideError as error:
        code, message, permanent = error.code, "the client gave up", error.permanent
    # Raised here and not in the handlers: an httpx error carries its request, whose URL may hold a token.
    raise OutsideError(system, code, message, permanent=permanent)


def json_object(raw: bytes) -> dict[str, Any] | None:
    """Parse a JSON object; None if it is anything else."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def compact_json(value: object) -> bytes:
    """Write JSON as the wallets expect it: UTF-8 as it is, no escapes for Chinese, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def may_pass(status: int) -> bool:
    """Say whether an HTTP status is worth another try: the server's own trouble, or too much at once."""
    return status >= _SERVER_SIDE or status in {_SLOW, _TOO_MANY}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
