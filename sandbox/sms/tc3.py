"""TC3-HMAC-SHA256 as the provider checks it: over method, path, the signed headers and the body's digest."""

import hashlib
import hmac
import re
from datetime import UTC, datetime

from sanic import Request

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/([0-9]{4}-[0-9]{2}-[0-9]{2})/([a-z]+)/tc3_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
_NEEDED = {"content-type", "host"}


def signature_fault(request: Request, *, secret_id: str, secret_key: str, service: str, now: int) -> str | None:
    """Why the request is not signed by the holder of the key, as the provider names it; None when it is."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return "AuthFailure.InvalidAuthorization"
    given_id, day, given_service, signed, signature = found.groups()
    if given_id != secret_id:
        return "AuthFailure.SecretIdNotFound"
    stamp = request.headers.get("x-tc-timestamp", "")
    if not stamp.isdigit() or abs(int(stamp) - now) > 300:
        return "AuthFailure.SignatureExpire"
    names = signed.split(";")
    if day != f"{datetime.fromtimestamp(int(stamp), UTC):%Y-%m-%d}" or given_service != service:
        return "AuthFailure.SignatureFailure"
    if not set(names) >= _NEEDED or names != sorted(names):
        return "AuthFailure.InvalidAuthorization"
    expected = _signature(request, names, day, stamp, secret_key=secret_key, service=service)
    return None if hmac.compare_digest(expected, signature) else "AuthFailure.SignatureFailure"


def _signature(request: Request, names: list[str], day: str, stamp: str, *, secret_key: str, service: str) -> str:
    headers = "".join(f"{name}:{request.headers.get(name, '').strip().lower()}\n" for name in names)
    digest = hashlib.sha256(request.body).hexdigest()
    # The path is always a slash in this version of the API, wherever it is served.
    canonical = f"{request.method}\n/\n\n{headers}\n{';'.join(names)}\n{digest}"
    scope = f"{day}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
