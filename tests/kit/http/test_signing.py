from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kit.http.signing import (
    KEY_ID,
    NONCE,
    SIGNATURE,
    TIMESTAMP,
    BadSignature,
    RequestSigner,
    RequestVerifier,
    canonical,
)
from tests.support.moments import NOON

KEY = Ed25519PrivateKey.generate()
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PATH, BODY = "/callbacks/tax?x=1", b'{"a": 1}'


@pytest.fixture
def signed() -> dict[str, str]:
    return RequestSigner("k1", PRIVATE).headers("POST", PATH, BODY, now=NOON)


@pytest.fixture
def verifier() -> RequestVerifier:
    return RequestVerifier({"k1": PUBLIC})


def test_what_was_signed_is_accepted(verifier: RequestVerifier, signed: dict[str, str]):
    assert verifier.check("POST", PATH, signed, BODY, now=NOON) == "k1"
    lower = {name.lower(): value for name, value in signed.items()}
    assert verifier.check("POST", PATH, lower, BODY, now=NOON) == "k1"


def test_what_is_signed_is_written_down():
    assert canonical("PUT", "/x", "1", "n", b"") == (
        b"PUT\n/x\n1\nn\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
    )


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_clock_may_be_five_minutes_off(verifier: RequestVerifier, signed: dict[str, str], seconds: int):
    assert verifier.check("POST", PATH, signed, BODY, now=NOON + timedelta(seconds=seconds)) == "k1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_stale_request_is_refused(verifier: RequestVerifier, signed: dict[str, str], seconds: int):
    with pytest.raises(BadSignature, match="stale"):
        verifier.check("POST", PATH, signed, BODY, now=NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize("name", [KEY_ID, TIMESTAMP, NONCE, SIGNATURE])
def test_every_header_is_needed(verifier: RequestVerifier, signed: dict[str, str], name: str):
    del signed[name]
    with pytest.raises(BadSignature, match="missing"):
        verifier.check("POST", PATH, signed, BODY, now=NOON)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (KEY_ID, "k2", "unknown key"),
        (TIMESTAMP, "soon", "unreadable"),
        (TIMESTAMP, "9" * 5000, "unreadable"),
        (TIMESTAMP, str(int(NOON.timestamp()) + 1), "wrong signature"),
        (NONCE, "0" * 32, "wrong signature"),
        (SIGNATURE, "no base64!", "unreadable"),
        (SIGNATURE, "签名", "unreadable"),
        (SIGNATURE, "QUJD", "wrong signature"),
        (SIGNATURE, "", "wrong signature"),
    ],
)
def test_every_header_is_checked(verifier: RequestVerifier, signed: dict[str, str], name: str, value: str, says: str):
    with pytest.raises(BadSignature, match=says):
        verifier.check("POST", PATH, signed | {name: value}, BODY, now=NOON)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", PATH, BODY), ("POST", "/callbacks/tax?x=2", BODY), ("POST", PATH, BODY + b" "), ("POST", PATH, b"")],
)
def test_method_path_and_body_are_signed(
    verifier: RequestVerifier, signed: dict[str, str], method: str, path: str, body: bytes
):
    with pytest.raises(BadSignature, match="wrong signature"):
        verifier.check(method, path, signed, body, now=NOON)


def test_another_sender_is_refused(verifier: RequestVerifier):
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(BadSignature, match="wrong signature"):
        verifier.check("POST", PATH, RequestSigner("k1", other).headers("POST", PATH, BODY, now=NOON), BODY, now=NOON)


def test_a_key_of_another_kind_is_refused():
    other = X25519PrivateKey.generate()
    with pytest.raises(TypeError, match="Ed25519"):
        RequestSigner("k1", other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(TypeError, match="Ed25519"):
        RequestVerifier({"k1": other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)})
