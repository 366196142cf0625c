"""What face verification v2 is asked about, as a hash."""

from base64 import b64encode
from hashlib import sha256

IDENTITY_CARD = "IDENTITY_CARD"


def cert_hash(cert_type: str, name: str, number: str) -> str:
    """Hash a document's type, holder and number as `queryverifyinfo` wants them: SHA-256 in hex."""
    parts = (("cert_type", cert_type), ("cert_name", name), ("cert_no", number))
    text = "&".join(f"{key}={b64encode(value.encode()).decode()}" for key, value in parts)
    return sha256(text.encode()).hexdigest()
