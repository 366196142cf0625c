from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit.wallets.alipay.keys import aes_key, alipay_public_key, app_key
from kit.wallets.errors import KeyProblemError
from tests.kit.wallets.wechat.party import Party


def test_the_app_key_in_both_shapes(app: Party) -> None:
    assert app_key(app.pkcs8).private_numbers() == app_key(f"\n{app.pkcs1}\n").private_numbers()


def test_alipays_key_as_pem_and_as_the_console_shows_it(alipay: Party) -> None:
    bare = "".join(alipay.spki.strip().splitlines()[1:-1])
    assert alipay_public_key(alipay.spki).public_numbers() == alipay_public_key(f" {bare}\n").public_numbers()


def _private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_what_is_no_such_key_is_refused_without_showing_it(app: Party) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    curve = ec.generate_private_key(ec.SECP256R1())
    for text in ("", "SECRET", app.spki, app.pkcs8[:-60], _private(short), _private(curve)):
        with pytest.raises(KeyProblemError) as caught:
            app_key(text)
        assert "SECRET" not in str(caught.value)
        assert caught.value.__cause__ is None
    for text in ("", "SECRET", "-----BEGIN", app.pkcs8, _public(short), _public(curve)):
        with pytest.raises(KeyProblemError):
            alipay_public_key(text)


def test_aes_keys() -> None:
    assert aes_key("MDEyMzQ1Njc4OWFiY2RlZg==\n") == b"0123456789abcdef"
    for text in ("", "no base64!", b64encode(b"x" * 15).decode(), "钥匙"):
        with pytest.raises(KeyProblemError):
            aes_key(text)
