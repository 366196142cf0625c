"""QR codes as PNG pictures: error correction M, the quiet zone included."""

import io

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

_PIXELS_PER_MODULE = 10
_QUIET_ZONE_MODULES = 4  # ISO/IEC 18004, 6.3.8


class QrSizeError(ValueError):
    """The text needs a finer code than is allowed."""


def qr_png(*segments: str, max_version: int = 40) -> bytes:
    """PNG of the code of all segments in a row, each written in the most compact way that fits it whole.

    Raises QrSizeError when it would exceed `max_version`; 40 is the largest there is.
    """
    code = QRCode(error_correction=ERROR_CORRECT_M, box_size=_PIXELS_PER_MODULE, border=_QUIET_ZONE_MODULES)
    for segment in segments:
        code.add_data(segment, optimize=0)
    code.make(fit=True)
    if code.version > max_version:
        raise QrSizeError(f"the text needs QR version {code.version}, at most {max_version} is allowed")
    png = io.BytesIO()
    code.make_image(fill_color="black", back_color="white").save(png)
    return png.getvalue()
