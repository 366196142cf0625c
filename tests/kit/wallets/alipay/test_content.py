import json

import pytest
from alipay.aop.api.util.EncryptUtils import decrypt_content, encrypt_content
from hypothesis import given
from hypothesis import strategies as st

from kit.wallets.alipay.content import BadContentError, decrypt, encrypt, open_phone
from kit.wallets.alipay.keys import aes_key
from tests.kit.wallets.wechat.party import Party

KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
SEALED = "sb44umJUD7auqhU6RDzOGa1sxXOWIxth2OsK89GQTNNv4ErpbKZS96y8shP9xpRPVEOBuwq2r3IfDvUmNN+1jw=="
OPENED = '{"code":"10000","msg":"Success","mobile":"13800000000"}'


def test_the_published_vector() -> None:
    assert decrypt(aes_key(KEY), SEALED) == OPENED
    assert encrypt(aes_key(KEY), OPENED) == SEALED


def test_the_sdk_can_do_neither() -> None:
    with pytest.raises(TypeError):
        encrypt_content(OPENED, "AES", KEY, "utf-8")
    with pytest.raises(TypeError):
        decrypt_content(SEALED, "AES", KEY, "utf-8")


@given(st.text())
def test_there_and_back(text: str) -> None:
    assert decrypt(b"k" * 32, encrypt(b"k" * 32, text)) == text


@pytest.mark.parametrize("text", ["", "!", "AAAA", SEALED[:-4], "A" * 70_000, SEALED.replace("sb44", "sb45", 1)])
def test_what_does_not_open(text: str) -> None:
    with pytest.raises(BadContentError):
        decrypt(b"fedcba9876543210", text)


def test_the_phone_number_signed_over_the_quoted_ciphertext(alipay: Party) -> None:
    sign = alipay.sign(f'"{SEALED}"'.encode())
    assert open_phone(SEALED, sign, alipay.public, aes_key(KEY)) == "13800000000"


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ('{"code":"40001","msg":"Missing Required Arguments","subCode":"isv.missing-encrypt-key"}', "refused"),
        ('{"code":"10000"}', "refused"),
        ('{"code":"10000","mobile":13800000000}', "refused"),
        ("[]", "unreadable"),
        ("no json", "unreadable"),
    ],
)
def test_signed_and_yet_no_number(alipay: Party, inner: str, reason: str) -> None:
    sealed = encrypt(aes_key(KEY), inner)
    with pytest.raises(BadContentError) as caught:
        open_phone(sealed, alipay.sign(f'"{sealed}"'.encode()), alipay.public, aes_key(KEY))
    assert caught.value.reason == reason


def test_forged_phone_numbers(app: Party, alipay: Party) -> None:
    forged = encrypt(aes_key(KEY), json.dumps({"code": "10000", "mobile": "13900000000"}))
    genuine = alipay.sign(f'"{SEALED}"'.encode())
    for response, sign in (
        (forged, genuine),  # another ciphertext under an old signature
        (SEALED, alipay.sign(SEALED.encode())),  # without the quotes
        (SEALED, app.sign(f'"{SEALED}"'.encode())),  # signed by the app itself
        (SEALED, ""),
        ("\ud800", genuine),
    ):
        with pytest.raises(BadContentError) as caught:
            open_phone(response, sign, alipay.public, aes_key(KEY))
        assert caught.value.reason == "bad_signature"


def test_an_error_in_clear_is_no_number(alipay: Party) -> None:
    clear = '{"code":"40001","msg":"x"}'
    with pytest.raises(BadContentError) as caught:
        open_phone(clear, alipay.sign(clear.encode()), alipay.public, aes_key(KEY))
    assert caught.value.reason == "bad_signature"
