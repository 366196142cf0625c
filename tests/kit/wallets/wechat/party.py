import base64

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


class Party:
    """One side's RSA key, with the signature made by the crypto library alone."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public = self.key.public_key()
        self.pkcs8 = self._private(PrivateFormat.PKCS8)
        self.pkcs1 = self._private(PrivateFormat.TraditionalOpenSSL)
        self.spki = self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode()

    def headers(self, body: bytes, *, at: int, serial: str, nonce: str = "c5ac7061fccab6bf") -> dict[str, str]:
        """What the platform sends along with `body`."""
        return {
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": self.sign(f"{at}\n{nonce}\n".encode() + body + b"\n"),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Wechatpay-Timestamp": str(at),
            "Wechatpay-Nonce": nonce,
        }

    def _private(self, shape: PrivateFormat) -> str:
        return self.key.private_bytes(Encoding.PEM, shape, NoEncryption()).decode()
