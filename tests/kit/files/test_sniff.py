import io

import pytest
from PIL import Image

from kit.files.errors import FileNotAsDeclared
from kit.files.sniff import check_declared, sniff


def image(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, form)
    return out.getvalue()


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
SAMPLES = {"image/jpeg": image("JPEG"), "image/png": image("PNG"), "application/pdf": PDF}


@pytest.mark.parametrize("mime", SAMPLES)
def test_accepted_types_are_known_by_content(mime: str):
    assert sniff(SAMPLES[mime]) == mime
    assert check_declared(SAMPLES[mime], mime.upper() + "; charset=binary") == mime


def test_wallets_spellings_of_jpeg_are_jpeg():
    assert check_declared(SAMPLES["image/jpeg"], "image/jpg") == "image/jpeg"


@pytest.mark.parametrize(
    "head", [b"", b"\xff\xd8", b"MZ" + bytes(100), b"<html>", image("GIF"), b"PK\x03\x04" + bytes(60)]
)
def test_anything_else_is_refused(head: bytes):
    assert sniff(head) is None
    with pytest.raises(FileNotAsDeclared):
        check_declared(head, "image/jpeg")


@pytest.mark.parametrize("declared", ["application/pdf", "image/png", "", "image/gif"])
def test_a_file_that_is_not_what_it_says(declared: str):
    with pytest.raises(FileNotAsDeclared):
        check_declared(SAMPLES["image/jpeg"], declared)
