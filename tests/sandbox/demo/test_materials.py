import io

import pypdfium2
import pytest
from PIL import Image

from sandbox.demo import cast, materials


@pytest.mark.parametrize("code", ["M07", "M10", "M10H"])
def test_photos_are_real_jpeg_files_of_a_phones_size(code: str):
    made = materials.make(code, None)
    assert made.mime == materials.JPEG
    assert 200_000 < len(made.content) < 900_000
    picture = Image.open(io.BytesIO(made.content))
    picture.load()
    assert picture.format == "JPEG"


def test_each_party_has_an_identity_card_of_their_own():
    cards = {materials.make("M02", person).content for person in cast.PARTIES}
    assert len(cards) == 3


def test_the_contract_is_a_pdf_of_three_pages():
    made = materials.make("M08", None)
    document = pypdfium2.PdfDocument(made.content)
    assert (made.mime, len(document)) == (materials.PDF, 3)
    document.close()


def test_a_drawn_signature_has_ink_on_a_transparent_ground():
    picture = Image.open(io.BytesIO(materials.drawn_signature("张明")))
    assert picture.mode == "RGBA"
    assert picture.getchannel("A").getextrema() == (0, 255)


def test_an_unknown_material_is_not_made_up():
    with pytest.raises(KeyError, match="M99"):
        materials.make("M99", None)
