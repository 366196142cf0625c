import io
from collections.abc import Callable

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kit.qr import QrSizeError
from server.certificates.credential import encode_base32
from server.certificates.qr import MAX_TEXT, LinkError, qr_png, read_link

PREFIX = "http://127.0.0.1:54321/v/"
LARGEST = encode_base32(bytes(range(230)))

bases = st.sampled_from(
    ["", "https://x.cn/v/", "HTTPS://X.CN/V/", "http://127.0.0.1:8000/v/", "https://bdc.x.gov.cn/yc/v/"]
)
spaces = st.text(alphabet=" \t\r\n\u3000", max_size=3)


def _version(png: bytes) -> int:
    modules = Image.open(io.BytesIO(png)).width // 10 - 2 * 4
    return (modules - 17) // 4


@pytest.mark.parametrize("prefix", [PREFIX, "https://bdc.x.gov.cn:81/v/"])
def test_the_largest_credential_fits_version_12(prefix: str):
    assert len(prefix) in {25, 26}
    assert _version(qr_png(prefix + LARGEST)) == 12


def test_a_reader_sees_exactly_the_link():
    link = PREFIX + LARGEST
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(qr_png(link))).convert("L"))
    assert found.text == link
    assert "M" in str(found.ec_level)


def test_a_link_too_long_for_print_is_refused():
    with pytest.raises(QrSizeError):
        qr_png(PREFIX + LARGEST + "A" * 24)


@pytest.mark.parametrize("link", ["", "ABC", PREFIX, PREFIX + "abc", PREFIX + "AB1", PREFIX + "ABC/"])
def test_a_link_without_a_code_is_not_drawn(link: str):
    with pytest.raises(LinkError):
        qr_png(link)


@given(st.binary(min_size=1, max_size=230), bases, spaces, spaces, st.sampled_from([str.upper, str.lower]))
def test_the_code_is_found_in_every_accepted_text(
    data: bytes, base: str, before: str, after: str, case: Callable[[str], str]
):
    code = encode_base32(data)
    text = base + case(code)
    assert read_link(before + text + after) == code


@given(st.text(max_size=60))
def test_what_is_read_is_a_code_that_stood_at_the_end(text: str):
    try:
        code = read_link(text)
    except LinkError:
        return
    assert text.strip().upper().endswith(code)
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "https://x.cn/",
        "https://x.cn/v/",
        "https://x.cn/w/ABC",
        "https://x.cn/v/ABC?from=1",
        "https://x.cn/v/AB C",
        "ftp://x.cn/v/ABC",
        "javascript:/v/ABC",
        "ABC1",
        "ABCſ",
        "不动产权证书",
        "A" * (MAX_TEXT + 1),
        "https://" + "/v" * 900 + "/ABC!",
    ],
)
def test_other_texts_are_refused(text: str):
    with pytest.raises(LinkError):
        read_link(text)
