import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kit.wallets.wechat.data_crypto import BadDataError, PushCrypto, decrypt_data, raw_data_signed

APP = "wx8888888888888888"
KEY, IV = b"0123456789abcdef", b"fedcba9876543210"
SEALED: dict[str, Any] = {
    "session_key": base64.b64encode(KEY).decode(),
    "iv": base64.b64encode(IV).decode(),
    "encrypted_data": (
        "/zKksLWsmvxbw65eoGVnlFqHe0gAJqwQmXWcX2tMunsO7hkhfX8NfuGb4Jh4kuWOThd/TIqCEqtL4XAg63Aifukh7vDN3bfIlXzHdtJz"
        "pvLxGixCmOlKsG0+L7VtQ8fP693Rxjffl4W6cTU3wXnhafT5MgaIVeplRdtZh2XP9qOeMSXDaDN66GLYVhZr1VFVwaO2m/NjnjEFMw5V"
        "kCV4EA=="
    ),
    "app_id": APP,
}
RAW = (
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN",'
    '"avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjA'
    'tpujxyzYsrztuuICqIM5ibXQ/0"}'
)
RAW_KEY, RAW_SIGNATURE = "HyVFkGl5F5OQWJZZaNzBBg==", "75e81ceda165f4ffa64f4068af58c64b8f54b88c"
PUSH = PushCrypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
PUSHED = {
    "encrypted": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "timestamp": "1409659589",
    "nonce": "263014780",
}


def seal(plain: bytes) -> str:
    count = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()


def test_decrypts_the_vector() -> None:
    opened = decrypt_data(**SEALED)
    assert opened["phoneNumber"] == "13800000000"
    assert opened["watermark"]["appid"] == APP


@pytest.mark.parametrize(
    "changed",
    [
        {"app_id": "wx9999999999999999"},
        {"session_key": base64.b64encode(b"0123456789abcdeX").decode()},
        {"session_key": "c2hvcnQ="},
        {"session_key": "*"},
        {"iv": "c2hvcnQ="},
        {"encrypted_data": ""},
        {"encrypted_data": "AAAA"},
        {"encrypted_data": "不是密文"},
        {"encrypted_data": SEALED["encrypted_data"][:-24] + "="},
        {"encrypted_data": "A" * 70_000},
        {"encrypted_data": seal(b"")},
        {"encrypted_data": seal(b"[]")},
        {"encrypted_data": seal(b"{}")},
        {"encrypted_data": seal(b"\xff\xfe")},
        {"encrypted_data": seal(json.dumps({"watermark": None}).encode())},
        {"encrypted_data": seal(b"[" * 40_000)},
    ],
)
def test_refuses_what_is_not_sealed_for_us(changed: dict[str, str]) -> None:
    with pytest.raises(BadDataError):
        decrypt_data(**{**SEALED, **changed})


def test_raw_data_signature_of_the_documents_example() -> None:
    assert raw_data_signed(session_key=RAW_KEY, raw_data=RAW, signature=RAW_SIGNATURE)


@pytest.mark.parametrize("signature", ["", "0" * 40, RAW_SIGNATURE[:-1], RAW_SIGNATURE.upper(), "签名", "\ud800"])
def test_raw_data_signature_refused(signature: str) -> None:
    assert not raw_data_signed(session_key=RAW_KEY, raw_data=RAW, signature=signature)


def test_raw_data_changed() -> None:
    assert not raw_data_signed(session_key=RAW_KEY, raw_data=RAW + " ", signature=RAW_SIGNATURE)


def test_opens_the_pushed_vector() -> None:
    assert PUSH.open(**PUSHED) == "1616140317555161061"


@pytest.mark.parametrize(
    "changed",
    [
        {"msg_signature": "0" * 40},
        {"msg_signature": ""},
        {"timestamp": "1409659590"},
        {"nonce": "1"},
        {"encrypted": "A" + PUSHED["encrypted"][1:]},
        {"encrypted": "A" * 70_000},
    ],
)
def test_refuses_a_push_not_signed_with_our_token(changed: dict[str, str]) -> None:
    with pytest.raises(BadDataError):
        PUSH.open(**{**PUSHED, **changed})


@pytest.mark.parametrize("encrypted", ["", "AAAA", "!", "A" * 64, PUSHED["encrypted"][:-24]])
def test_refuses_a_push_that_is_signed_but_not_sealed(encrypted: str) -> None:
    signature = PUSH._signature("1", "2", encrypted)
    with pytest.raises(BadDataError):
        PUSH.open(encrypted=encrypted, msg_signature=signature, timestamp="1", nonce="2")


def test_refuses_a_push_for_another_app() -> None:
    other = PushCrypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx0000000000000000")
    with pytest.raises(BadDataError):
        other.open(**PUSHED)


def test_url_signature() -> None:
    # sha1sum of the three, sorted and joined: 1409659589263014780QDG6eK
    query = {"timestamp": "1409659589", "nonce": "263014780"}
    assert PUSH.url_signed(signature="93d1cec91cee4a4a8baada4c807ed13137622215", **query)
    for signature in ("93d1cec91cee4a4a8baada4c807ed13137622216", "", "签名", PUSHED["msg_signature"]):
        assert not PUSH.url_signed(signature=signature, **query)


@pytest.mark.parametrize("key", ["", "short", "*" * 43, "A" * 44])
def test_a_wrong_push_key_is_told_at_start(key: str) -> None:
    with pytest.raises(ValueError, match="43 characters"):
        PushCrypto("t", key, APP)
