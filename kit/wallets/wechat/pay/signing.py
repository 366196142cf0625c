"""Signatures of WeChat Pay v3: ours on requests, the platform's on answers and notices."""

import re
import secrets
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from wechatpayv3.utils import rsa_sign, rsa_verify

from kit.clock import Clock
from kit.wallets.wechat.pay.keys import PlatformKeys

SCHEME = "WECHATPAY2-SHA256-RSA2048"

_WINDOW = 300  # seconds either way; older signatures are replays
_NAMES = ("wechatpay-serial", "wechatpay-signature", "wechatpay-timestamp", "wechatpay-nonce")
_LONGEST_HEADER = 1024
_SECONDS = re.compile(r"[0-9]{1,12}")


class UnverifiedError(Exception):
    """What came is not proven to be the platform's; `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def request_message(method: str, path: str, timestamp: str, nonce: str, body: str) -> str:
    """Build what a request's signature covers; `path` with its query, exactly as on the wire."""
    return f"{method}\n{path}\n{timestamp}\n{nonce}\n{body}\n"


class MerchantSigner:
    """Signs with the merchant's key; `serial_no` is that of the merchant's API certificate."""

    def __init__(
        self,
        mchid: str,
        serial_no: str,
        key: RSAPrivateKey,
        clock: Clock,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.mchid = mchid
        self._serial_no = serial_no
        self._key = key
        self._clock = clock
        self._nonce = nonce

    def authorization(self, method: str, path: str, body: str = "") -> str:
        """Build the Authorization header of a request; `path` with its query, exactly as on the wire."""
        timestamp, nonce = self._timestamp(), self._nonce()
        signature = self._sign(request_message(method, path, timestamp, nonce, body))
        return (
            f'{SCHEME} mchid="{self.mchid}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self._serial_no}"'
        )

    def client_params(self, app_id: str, prepay_id: str) -> dict[str, str]:
        """Sign what the mini-program passes to `wx.requestPayment`."""
        timestamp, nonce, package = self._timestamp(), self._nonce(), f"prepay_id={prepay_id}"
        return {
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self._sign(f"{app_id}\n{timestamp}\n{nonce}\n{package}\n"),
        }

    def _timestamp(self) -> str:
        return str(int(self._clock.now().timestamp()))

    def _sign(self, message: str) -> str:
        return str(rsa_sign(self._key, message))


def verify(keys: PlatformKeys, headers: Mapping[str, str], body: bytes, clock: Clock) -> None:
    """Check the platform's signature over the raw `body`, under a trusted serial and at most 300 s from now.

    Raises UnverifiedError: missing_header, unknown_serial, wrong_scheme, stale, bad_signature, in this order.
    """
    given = {name.lower(): value for name, value in headers.items()}
    serial, signature, timestamp, nonce = (given.get(name, "") for name in _NAMES)
    if not all(0 < len(value) <= _LONGEST_HEADER for value in (serial, signature, timestamp, nonce)):
        raise UnverifiedError("missing_header")
    key = keys.get(serial)
    if key is None:
        raise UnverifiedError("unknown_serial")
    if given.get("wechatpay-signature-type", SCHEME) != SCHEME:
        raise UnverifiedError("wrong_scheme")
    if not _SECONDS.fullmatch(timestamp) or abs(clock.now().timestamp() - int(timestamp)) > _WINDOW:
        raise UnverifiedError("stale")
    try:
        # Strict UTF-8 there and back is the same bytes, so the signature is checked over what came.
        genuine = rsa_verify(timestamp, nonce, body.decode(), signature, key)
    except ValueError:
        genuine = False
    if not genuine:
        raise UnverifiedError("bad_signature")
