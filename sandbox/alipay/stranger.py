from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key


@cache
def strangers_key() -> RSAPrivateKey:
    """Somebody else's key, for signatures that must not verify."""
    return generate_private_key(public_exponent=65537, key_size=2048)
