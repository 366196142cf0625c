"""What the registry makes public of its seal."""

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key


def key_id(public_key: Path) -> str:
    """How a credential names its key: the first eight hex characters of the SHA-256 of its SubjectPublicKeyInfo."""
    key = load_pem_public_key(public_key.read_bytes())
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:8]
