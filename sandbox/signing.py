"""The partners' signatures and encryption: pure functions over bytes and keys."""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.padding import PKCS7

WECHAT_PAY_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_ZERO_IV = bytes(16)
_AUTHORIZATION_PART = re.compile(r'(\w+)="([^"]*)"')


def face_cert_hash(*, cert_type: str, cert_name: str, cert_no: str) -> str:
    """WeChat face v2's `cert_hash`: SHA-256 in hex over the Base64 of each part."""
    parts = (b64encode(value.encode()).decode() for value in (cert_type, cert_name, cert_no))
    text = "cert_type={}&cert_name={}&cert_no={}".format(*parts)
    return hashlib.sha256(text.encode()).hexdigest()


def rsa_sign(key: RSAPrivateKey, message: bytes) -> str:
    """RSA-SHA256 (PKCS#1 v1.5) in Base64."""
    return b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def rsa_verifies(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True


def pay_request_message(*, method: str, path: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What a merchant signs for an API v3 request; `path` as on the wire, with its query."""
    return f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def pay_answer_message(*, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What WeChat Pay signs for an answer or a notification; `body` raw, empty for 204."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def pay_client_message(*, app_id: str, timestamp: str, nonce: str, package: str) -> bytes:
    """What a merchant signs for `wx.requestPayment`."""
    return f"{app_id}\n{timestamp}\n{nonce}\n{package}\n".encode()


def pay_authorization(header: str) -> dict[str, str] | None:
    """The parts of an API v3 `Authorization` header, or None when it is of another scheme or incomplete."""
    scheme, _, rest = header.partition(" ")
    parts = dict(_AUTHORIZATION_PART.findall(rest))
    needed = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
    return parts if scheme == WECHAT_PAY_SCHEME and needed <= parts.keys() else None


def gcm_encrypt(key: bytes, *, nonce: str, associated_data: str, plaintext: bytes) -> str:
    """AES-256-GCM as in API v3 resources: Base64 of ciphertext and 16-byte tag."""
    return b64encode(AESGCM(key).encrypt(nonce.encode(), plaintext, associated_data.encode())).decode()


def gcm_decrypt(key: bytes, *, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """The reverse of `gcm_encrypt`; raises InvalidTag."""
    return AESGCM(key).decrypt(nonce.encode(), b64decode(ciphertext), associated_data.encode())


def alipay_content(params: Mapping[str, str]) -> bytes:
    """What both sides of Alipay sign: the non-empty parameters but `sign`, sorted, raw, as `k=v&k=v`."""
    pairs = sorted((name, value) for name, value in params.items() if name != "sign" and value)
    return "&".join(f"{name}={value}" for name, value in pairs).encode()


def cbc_encrypt(key: bytes, plaintext: bytes) -> str:
    """AES-CBC with a zero IV and PKCS7, as Alipay encrypts, in Base64."""
    padder, encryptor = PKCS7(128).padder(), Cipher(AES(key), CBC(_ZERO_IV)).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def cbc_decrypt(key: bytes, ciphertext: str) -> bytes:
    """The reverse of `cbc_encrypt`; raises ValueError."""
    decryptor, unpadder = Cipher(AES(key), CBC(_ZERO_IV)).decryptor(), PKCS7(128).unpadder()
    padded = decryptor.update(b64decode(ciphertext, validate=True)) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def yc_message(*, method: str, path: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What the city and the tax bureau sign for each other; `path` includes the query."""
    return f"{method}\n{path}\n{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}\n".encode()


def ed25519_sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """Ed25519 in Base64."""
    return b64encode(key.sign(message)).decode()


def ed25519_verifies(key: Ed25519PublicKey, message: bytes, signature: str) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), message)
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True
