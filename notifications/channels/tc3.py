"""TC3-HMAC-SHA256, the signature of Tencent Cloud's API 3.0, for POST with a JSON body."""

import hashlib
import hmac
from datetime import UTC, datetime

_ALGORITHM = "TC3-HMAC-SHA256"
_SIGNED = "content-type;host;x-tc-action"


def authorization(
    *,
    secret_id: str,
    secret_key: str,
    service: str,
    host: str,
    content_type: str,
    action: str,
    body: bytes,
    at: datetime,
) -> str:
    """The Authorization header of one request; `at` is what X-TC-Timestamp says, its UTC day is in the scope."""
    day = f"{at.astimezone(UTC):%Y-%m-%d}"
    scope = f"{day}/{service}/tc3_request"
    headers = f"content-type:{content_type.lower()}\nhost:{host.lower()}\nx-tc-action:{action.lower()}\n"
    canonical = "\n".join(("POST", "/", "", headers, _SIGNED, hashlib.sha256(body).hexdigest()))
    to_sign = "\n".join((_ALGORITHM, str(int(at.timestamp())), scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = _hmac(key, part)
    signature = _hmac(key, to_sign).hex()
    return f"{_ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
