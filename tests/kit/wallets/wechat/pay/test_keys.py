import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kit.wallets.errors import KeyProblemError
from kit.wallets.wechat.pay.keys import apiv3_key, merchant_key, platform_key, platform_keys
from tests.kit.wallets.wechat.party import Party

EC = ec.generate_private_key(ec.SECP256R1())
SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the breakable key to refuse


def private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_reads_good_keys(merchant: Party, platform: Party) -> None:
    assert merchant_key(f"\n{merchant.pkcs8}\n").private_numbers() == merchant.key.private_numbers()
    assert platform_keys({"PUB_KEY_ID_1": platform.spki})["PUB_KEY_ID_1"] == platform.public
    assert apiv3_key("0123456789abcdef0123456789abcdef") == "0123456789abcdef0123456789abcdef"


def test_a_pkcs1_key_is_told_how_to_become_pkcs8(merchant: Party) -> None:
    with pytest.raises(KeyProblemError, match="openssl pkcs8 -topk8"):
        merchant_key(merchant.pkcs1)


def test_wrong_merchant_keys(merchant: Party, platform: Party) -> None:
    encrypted = merchant.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    damaged = merchant.pkcs8.replace(merchant.pkcs8[100:140], "")
    for pem in ("", "MIIE", encrypted, damaged, private(EC), private(SMALL), platform.spki):
        with pytest.raises(KeyProblemError, match="merchant key") as caught:
            merchant_key(pem)
        assert pem[60:100] not in str(caught.value) or not pem[60:100]
        assert caught.value.__cause__ is None


def test_wrong_platform_keys(merchant: Party, platform: Party) -> None:
    damaged = platform.spki.replace(platform.spki[100:140], "")
    for pem in ("", damaged, public(EC), public(SMALL), merchant.pkcs8):
        with pytest.raises(KeyProblemError, match="platform key"):
            platform_key(pem)
    for pems in ({}, {"": platform.spki}):
        with pytest.raises(KeyProblemError, match="at least one"):
            platform_keys(pems)


@pytest.mark.parametrize("key", ["", "short", "x" * 31, "x" * 33, "密" * 32])
def test_wrong_apiv3_keys(key: str) -> None:
    with pytest.raises(KeyProblemError, match="32 bytes"):
        apiv3_key(key)
