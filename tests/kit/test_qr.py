import io

import pytest
import zxingcpp
from PIL import Image

from kit.qr import QrSizeError, qr_png


def _read(png: bytes) -> zxingcpp.Barcode:
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))
    return found


@pytest.mark.parametrize("segments", [("yc1.a-B_c9",), ("https://x.cn/v/", "ABC234"), ("不动产",)])
def test_a_reader_sees_all_segments_in_a_row(segments: tuple[str, ...]):
    found = _read(qr_png(*segments))
    assert found.text == "".join(segments)
    assert found.ec_level == "M"


def test_a_text_too_long_for_the_largest_code_allowed_is_refused():
    with pytest.raises(QrSizeError):
        qr_png("a" * 100, max_version=3)
