import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.wallets.wechat.pay.resource import BadResourceError, open_resource

KEY = "0123456789abcdef0123456789abcdef"
BEFORE_TAG = "DUcclrHBE5NffFMk6pzEyhUOz1nix96RDgIGIzZp7K6qaxMevdMteN6HKYiO79x4KcPU2Voq1lKmrdScMY/BVdNmE9NrmXsvZhN+"
PLAIN = {"out_trade_no": "T20261121-1", "trade_state": "SUCCESS", "amount": {"total": 100}}
SEALED: dict[str, Any] = {
    "original_type": "transaction",
    "algorithm": "AEAD_AES_256_GCM",
    "ciphertext": BEFORE_TAG + "ATGH+epNOIOuq1x54fZIItt4",
    "associated_data": "transaction",
    "nonce": "fdasflkja484",
}
UNBOUND = BEFORE_TAG + "ATHU/BRQKlqm8Vy4wW09nPSE"


def seal(plain: bytes) -> str:
    return base64.b64encode(AESGCM(KEY.encode()).encrypt(b"fdasflkja484", plain, b"transaction")).decode()


def test_opens_the_vector() -> None:
    assert open_resource(SEALED, KEY) == PLAIN


@pytest.mark.parametrize("bound", [{"associated_data": ""}, {"associated_data": None}, {}])
def test_opens_the_vector_without_associated_data(bound: dict[str, Any]) -> None:
    rest = {name: value for name, value in SEALED.items() if name != "associated_data"}
    assert open_resource({**rest, "ciphertext": UNBOUND, **bound}, KEY) == PLAIN


@pytest.mark.parametrize(
    "changed",
    [
        {"algorithm": "AEAD_SM4_GCM"},
        {"algorithm": None},
        {"associated_data": "refund"},
        {"associated_data": 5},
        {"nonce": "fdasflkja485"},
        {"nonce": "short"},
        {"nonce": None},
        {"nonce": "\ud800" * 12},
        {"ciphertext": UNBOUND},
        {"ciphertext": ""},
        {"ciphertext": "AAAA"},
        {"ciphertext": "不是"},
        {"ciphertext": {}},
        {"ciphertext": seal(b"")},
        {"ciphertext": seal(b"[]")},
        {"ciphertext": seal(b"\xff")},
        {"ciphertext": seal(b"{")},
    ],
)
def test_refuses(changed: dict[str, Any]) -> None:
    with pytest.raises(BadResourceError):
        open_resource({**SEALED, **changed}, KEY)


def test_refuses_another_key() -> None:
    with pytest.raises(BadResourceError):
        open_resource(SEALED, KEY[::-1])
