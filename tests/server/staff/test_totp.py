from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from server.staff import totp

# RFC 6238 appendix B, SHA-1: the secret "12345678901234567890", the last six of its eight digits.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_codes_of_the_standard(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert totp.matching_step(SECRET, code, now=now) == seconds // 30
    for shift, step in ((30, seconds // 30), (90, None)):
        assert totp.matching_step(SECRET, code, now=now + timedelta(seconds=shift)) == step


@pytest.mark.parametrize("code", ["", "28708", "2870822", "２８７０８２", "abcdef"])
def test_what_is_no_code(code: str) -> None:
    assert totp.matching_step(SECRET, code, now=datetime.fromtimestamp(59, UTC)) is None


def test_the_uri_is_read_by_an_authenticator() -> None:
    secret = totp.new_secret()
    read = pyotp.parse_uri(totp.uri(secret, username="li.jian"))
    assert (read.secret, read.name, read.issuer) == (secret, "li.jian", "一窗")
    assert len(secret) == 32
