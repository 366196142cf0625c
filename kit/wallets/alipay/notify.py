"""Asynchronous notices: from raw bytes that anyone may have sent to what Alipay said."""

from urllib.parse import unquote_plus

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kit.wallets.alipay.signing import sign_content, verify
from kit.wallets.errors import BadNotice

_LARGEST = 64 * 1024
_MOST_FIELDS = 200


class AlipayNotices:
    """Opens the forms that Alipay posts to a `notify_url`."""

    def __init__(self, public_key: RSAPublicKey) -> None:
        self._key = public_key

    def open(self, raw_body: bytes) -> dict[str, str]:
        """Return the form's fields, decoded once, without `sign` and `sign_type`; raise BadNotice and nothing else.

        A genuine notice may come again: its `notify_id` tells. App, seller, order and amount are the caller's
        to compare. Answer it with exactly `success`.
        """
        fields = _form(raw_body)
        sign = fields.pop("sign", "")
        sign_type = fields.pop("sign_type", "")
        if not sign:
            raise BadNotice("unsigned")
        if sign_type != "RSA2":
            raise BadNotice("wrong_sign_type")
        if fields.get("charset", "").lower() != "utf-8":
            raise BadNotice("wrong_charset")
        # Trade notices leave sign_type out of what is signed; some others (service market) keep it in.
        for covered in (fields, {**fields, "sign_type": sign_type}):
            if verify(self._key, sign_content(covered).encode(), sign):
                return fields
        raise BadNotice("bad_signature")


def _form(raw_body: bytes) -> dict[str, str]:
    """Decode once and no more: a value that still looks encoded is signed as it looks."""
    if len(raw_body) > _LARGEST:
        raise BadNotice("too_large")
    try:
        pairs = [part.split("=", 1) for part in raw_body.decode("ascii").split("&") if part]
        decoded = [[unquote_plus(text, errors="strict") for text in pair] for pair in pairs]
    except ValueError:
        raise BadNotice("unreadable") from None
    fields = {pair[0]: pair[-1] for pair in decoded}
    if len(decoded) > _MOST_FIELDS or any(len(pair) != 2 or not pair[0] for pair in decoded):  # noqa: PLR2004 - a pair
        raise BadNotice("unreadable")
    if len(fields) != len(decoded):
        raise BadNotice("duplicate_field")
    return fields
