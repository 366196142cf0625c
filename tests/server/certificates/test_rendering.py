import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from server.certificates.face import Holder
from server.certificates.rendering import FaceTooLongError, FontsMissingError, render
from tests.factories.certificates import LONGEST_NUMBER, REGISTRY_NAME, face, link, qr


def _text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    page = document[0]
    text = page.get_textpage().get_text_bounded()
    # PDF readers may hand out compatibility forms (㎡ as m2); compare what a person reads.
    return unicodedata.normalize("NFKC", "".join(text.split()))


def _shown(words: str) -> str:
    return unicodedata.normalize("NFKC", "".join(words.split()))


def test_everything_of_the_face_stands_on_one_page():
    text = _text(render(face(), qr_png=qr()))
    for words in (
        "中华人民共和国",
        "不动产权证书",
        face().number,
        "王强、陈晓",
        face().location,
        "320114 001002 GB00012 F00180302",
        "共有宗地面积12345.60㎡/房屋建筑面积89.50㎡",
        "登记类型：转移登记（买卖）",
        REGISTRY_NAME,
        "2026年11月21日",
        "D32001234567",
        "扫码验真",
    ):
        assert _shown(words) in text


def test_the_only_code_on_the_page_is_the_link():
    page = pypdfium2.PdfDocument(render(face(), qr_png=qr()))[0]
    picture, kind = page.render(scale=300 / 72).to_pil().convert("L"), zxingcpp.BarcodeFormat.QRCode
    (found,) = zxingcpp.read_barcodes(picture, formats=kind)  # rows of a QR code may pass for a bar code
    assert found.text == link()


def test_the_page_is_a4():
    width, height = pypdfium2.PdfDocument(render(face(), qr_png=qr()))[0].get_size()
    assert (round(width), round(height)) == (595, 842)


def test_rare_characters_are_printed():
    pdf = render(face(holders=(Holder("䶮㛃〇犇喆堃"),)), qr_png=qr())
    assert "䶮㛃〇犇喆堃" in _text(pdf)
    assert b"NotoSerif" in pdf


def test_the_same_face_gives_the_same_bytes():
    first = render(face(), qr_png=qr())
    other = render(face(number=LONGEST_NUMBER), qr_png=qr())
    assert render(face(), qr_png=qr()) == first
    assert other != first


def test_threads_do_not_mix_their_pages():
    faces = [face(location=f"南京市测试路{number}号") for number in range(6)]
    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(lambda one: render(one, qr_png=qr()), faces))
    for one, pdf in zip(faces, pages, strict=True):
        assert one.location in _text(pdf)


def test_many_holders_are_printed_smaller_on_the_same_page():
    holders = tuple(Holder(f"共有人{number}", "居民身份证", "32010219850312999X") for number in range(60))
    assert "共有人59" in _text(render(face(holders=holders), qr_png=qr()))


def test_a_face_that_cannot_fit_is_refused_without_its_contents():
    with pytest.raises(FaceTooLongError) as caught:
        render(face(remarks=("很长的附记" * 2000,)), qr_png=qr())
    assert "附记" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_markup_in_a_value_is_printed_as_it_stands():
    assert "#panic[*x*]$y$" in _text(render(face(remarks=("#panic[*x*]$y$",)), qr_png=qr()))


def test_without_the_fonts_nothing_is_printed(tmp_path: Path):
    with pytest.raises(FontsMissingError):
        render(face(), qr_png=qr(), fonts=(tmp_path,))


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    render(face(location="不落盘路1号"), qr_png=qr())
    assert list(tmp_path.iterdir()) == []
