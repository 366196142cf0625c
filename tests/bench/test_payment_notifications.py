"""The baseline does the work that it is compared for: it takes the notices that ours takes, and no other."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import orjson
import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench import bare_notifications
from bench.load.wrk import Post
from bench.payment_notifications import notice
from kit.clock import FixedClock
from kit.wallets.wechat.pay.callback import PayNotices
from kit.wallets.wechat.pay.keys import platform_keys
from sandbox import credentials
from sandbox.credentials import Keys

Opened = Callable[[Post], tuple[str, bytes]]
NUMBER = "0192f3a45b6c7d8e9f00112233445566"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("partners")
    credentials.init(folder)
    return credentials.load(folder)


@pytest.fixture
def bare(keys: Keys) -> Opened:
    key = cast("RSAPublicKey", keys.wechatpay_key.public_key())

    def opened(post: Post) -> tuple[str, bytes]:
        headers = httpx.Headers(post.headers)
        request: Any = type("Request", (), {"headers": headers, "body": post.body.encode()})()
        return bare_notifications.opened(request, key, AESGCM(keys.apiv3_key))

    return opened


def test_both_take_the_same_notice(keys: Keys, bare: Opened):
    post = notice(keys, NUMBER, 7)
    pem = keys.wechatpay_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    trusted = platform_keys({keys.wechatpay_public_key_id: pem})
    ours = PayNotices(trusted, keys.apiv3_key.decode(), FixedClock(datetime.now(UTC)))
    opened = ours.open(post.headers, post.body.encode())
    assert bare(post) == (opened["id"], orjson.dumps(opened["resource"]))
    assert opened["resource"]["out_trade_no"] == NUMBER


def test_the_baseline_refuses_what_is_not_genuine(keys: Keys, bare: Opened):
    post = notice(keys, NUMBER, 8)
    with pytest.raises(InvalidSignature):
        bare(Post(post.path, post.headers, post.body.replace("EV-", "EX-")))
    with pytest.raises(InvalidSignature):
        bare(Post(post.path, {**post.headers, "Wechatpay-Timestamp": "1000000000"}, post.body))
    with pytest.raises((InvalidTag, InvalidSignature)):
        bare(Post(post.path, post.headers, post.body.replace('"ciphertext": "', '"ciphertext": "AAAA')))
