"""The second factor: time-based codes, RFC 6238, each good once."""

import re
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError

_ISSUER = "一窗"
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_STEPS_AROUND = 1  # a phone's clock may be 30 seconds off


def new_secret() -> str:
    """160 bits in base32."""
    return pyotp.random_base32()


def uri(secret: str, *, username: str) -> str:
    """What an authenticator app reads from a QR code; it holds the secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=_ISSUER)


def matching_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The 30-second step whose code this is, one before or after included; None if it is none of them."""
    if not _CODE.fullmatch(code):
        return None
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=_STEPS_AROUND)
    except OTPVerificationError:
        return None
