import io

import pytest
from PIL import Image

from kit.files.sniff import media_type, sniff


def image(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, form)
    return out.getvalue()


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
SAMPLES = {"image/jpeg": image("JPEG"), "image/png": image("PNG"), "application/pdf": PDF}


@pytest.mark.parametrize("mime", SAMPLES)
def test_accepted_types_are_known_by_content(mime: str):
    assert sniff(SAMPLES[mime]) == mime


@pytest.mark.parametrize(
    ("declared", "mime"),
    [
        ("image/jpg", "image/jpeg"),
        ("IMAGE/PJPEG; charset=binary", "image/jpeg"),
        (" image/x-png ", "image/png"),
        ("application/pdf", "application/pdf"),
        ("", ""),
    ],
)
def test_a_type_has_one_spelling(declared: str, mime: str):
    assert media_type(declared) == mime


@pytest.mark.parametrize(
    "head", [b"", b"\xff\xd8", b"MZ" + bytes(100), b"<html>", image("GIF"), b"PK\x03\x04" + bytes(60)]
)
def test_anything_else_is_refused(head: bytes):
    assert sniff(head) is None
