"""The one code on a certificate: a link that any camera opens, carrying the credential itself."""

import re

from kit import qr

# Version 12 has 65 modules: printed 32 mm wide, one is 0.49 mm, nearly six dots of a 300 dpi scan.
MAX_VERSION = 12
MAX_TEXT = 2000

# ASCII keeps the long s and the Kelvin sign from counting as S and K when case is ignored.
_LINK = re.compile(r"(?:https?://[^/\s?#]+(?:/[^\s?#]+)?/v/)?([A-Z2-7]+)", re.ASCII | re.IGNORECASE)
_CODE = re.compile(r"[A-Z2-7]+")


class LinkError(ValueError):
    """A text that is neither a certificate's link nor its bare code."""


def qr_png(link: str) -> bytes:
    """PNG of the QR code of `<prefix>/v/<base32 in upper case>`.

    Raises LinkError, or kit.qr.QrSizeError when it would exceed version 12: 230 bytes of credential fit
    behind a prefix of 26 characters.
    """
    prefix, slash, code = link.rpartition("/")
    if not slash or _CODE.fullmatch(code) is None:
        raise LinkError("the link does not end in a code in upper-case base32")
    # Two segments, bytes and alphanumeric: as one, the lower-case prefix would force eight bits on every
    # character of the code.
    return qr.qr_png(prefix + slash, code, max_version=MAX_VERSION)


def read_link(text: str) -> str:
    """The credential's base32, in upper case, from a scanned link (/v/ or /V/) or a bare code.

    Raises LinkError for any other text.
    """
    if len(text) <= MAX_TEXT and (found := _LINK.fullmatch(text.strip())):
        return found[1].upper()
    raise LinkError("not a certificate's link or code")
