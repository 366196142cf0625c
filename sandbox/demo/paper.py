"""Looking at a certificate as a stranger would: its page, fonts, signature, and the code printed on it."""

import ctypes
import io
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
import zxingcpp
from PIL import Image
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from sandbox.phones.journey import require

DPI = 300
_POINTS_PER_INCH = 72
_QR_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_TEXT_OBJECT = 1  # FPDF_PAGEOBJ_TEXT


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code as a camera reads it."""

    text: str
    version: int


def draw_first_page(pdf: bytes) -> Image.Image:
    """Page 1 at 300 dots per inch."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page: Image.Image = document[0].render(scale=DPI / _POINTS_PER_INCH).to_pil()
    finally:
        document.close()
    return page


def text_of(pdf: bytes) -> str:
    """The words on page 1, without spaces and line ends."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        text: str = document[0].get_textpage().get_text_range()
    finally:
        document.close()
    return "".join(text.split())


def fonts_not_embedded(pdf: bytes) -> set[str]:
    """Names of the fonts of page 1 that a reader would have to have itself."""
    document = pypdfium2.PdfDocument(pdf)
    missing: set[str] = set()
    try:
        for thing in document[0].get_objects(filter=[_TEXT_OBJECT]):
            font = pypdfium2.raw.FPDFTextObj_GetFont(thing)
            if not pypdfium2.raw.FPDFFont_GetIsEmbedded(font):
                name = ctypes.create_string_buffer(200)
                pypdfium2.raw.FPDFFont_GetBaseFontName(font, name, len(name))
                missing.add(name.value.decode())
    finally:
        document.close()
    return missing


def check_signature(pdf: bytes, *, root: Path) -> None:
    """One signature, trusted under `root`, over the whole file and nothing after it."""
    signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    require(len(signatures) == 1, f"the PDF carries {len(signatures)} signatures, not one")
    anchor = load_cert_from_pemder(root)  # type: ignore[no-untyped-call]  # pyHanko leaves it unannotated
    trust = ValidationContext(trust_roots=[anchor], allow_fetching=False)
    status = validate_pdf_signature(signatures[0], signer_validation_context=trust, ts_validation_context=trust)
    require(status.bottom_line, f"the PDF's signature does not verify: {status.summary()}")
    require(status.coverage == SignatureCoverageLevel.ENTIRE_FILE, f"the signature covers {status.coverage} only")
    require(status.timestamp_validity is not None, "the signature carries no timestamp")


def ask_pdfsig(pdf: Path) -> bool:
    """What Poppler's `pdfsig` says, where it is installed; False when it is not."""
    program = shutil.which("pdfsig")
    if program is None:
        return False
    # It speaks UTF-8 in every locale.
    said = subprocess.run([program, str(pdf)], capture_output=True, encoding="utf-8", check=False, timeout=30).stdout
    require("Signature is Valid" in said, f"pdfsig says: {said}")
    require("Total document signed" in said, f"pdfsig says: {said}")
    return True


def read_code(picture: Image.Image) -> Code:
    """The one QR code of a picture; NotAsItShould when there is none, or another beside it."""
    # Among all kinds of codes, some rows of a dense QR code pass for a bar code once in a while.
    found = zxingcpp.read_barcodes(picture, formats=_QR_CODES)
    require(len(found) == 1, f"{len(found)} codes are on the picture, not one")
    extra: Any = found[0].extra
    return Code(found[0].text, int(extra["Version"]))


def read_code_of_png(png: bytes) -> Code:
    return read_code(Image.open(io.BytesIO(png)).convert("L"))
