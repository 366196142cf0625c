import io
from pathlib import Path

import pytest
import zxingcpp
from fpdf import FPDF
from PIL import Image
from qrcode import QRCode

from sandbox.demo import paper
from sandbox.phones.journey import NotAsItShould


def letter() -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.cell(text="Dear reader")
    return bytes(pdf.output())


def code(text: str) -> Image.Image:
    qr = QRCode(border=4)
    qr.add_data(text)
    picture = io.BytesIO()
    qr.make_image().save(picture)
    return Image.open(picture).convert("L")


def test_a_font_that_is_only_named_shows():
    assert paper.fonts_not_embedded(letter()) == {"Helvetica"}


def test_the_page_is_drawn_at_300_dots_per_inch_and_read():
    assert paper.draw_first_page(letter()).size == (2481, 3508)
    assert paper.text_of(letter()) == "Dearreader"


def test_one_code_is_read_with_its_version():
    assert paper.read_code(code("https://city.example/v/ABC")) == paper.Code("https://city.example/v/ABC", 2)


def test_no_code_and_two_codes_are_refused():
    with pytest.raises(NotAsItShould, match="0 codes"):
        paper.read_code(Image.new("L", (400, 400), 255))
    one, other = code("https://city.example/v/ABC"), code("https://city.example/v/DEF")
    both = Image.new("L", (one.width + other.width, one.height), 255)
    both.paste(one, (0, 0))
    both.paste(other, (one.width, 0))
    with pytest.raises(NotAsItShould, match="2 codes"):
        paper.read_code(both)


def test_a_bar_code_beside_it_is_no_second_code():
    bars = zxingcpp.create_barcode("5901234123457", zxingcpp.BarcodeFormat.EAN13)
    strip = Image.fromarray(zxingcpp.write_barcode_to_image(bars, scale=3)).convert("L")
    one = code("https://city.example/v/ABC")
    both = Image.new("L", (one.width + strip.width + 60, max(one.height, strip.height)), 255)
    both.paste(one, (0, 0))
    both.paste(strip, (one.width + 60, 0))
    assert len(zxingcpp.read_barcodes(both)) == 2
    assert paper.read_code(both).text == "https://city.example/v/ABC"


def test_an_unsigned_file_is_refused(tmp_path: Path):
    with pytest.raises(NotAsItShould, match="0 signatures"):
        paper.check_signature(letter(), root=tmp_path / "root.pem")
