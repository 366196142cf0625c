"""A certificate's face as PDF: one A4 page in the national layout, set by typst from layout/*.typ."""

import json
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import typst

from server.certificates.face import CertificateFace, chinese_date, rows

LAYOUT = Path(__file__).with_name("layout") / "title_certificate.typ"
DEBIAN_FONTS = (Path("/usr/share/fonts/opentype/noto"),)  # package fonts-noto-cjk
FAMILIES = frozenset({"Noto Serif CJK SC", "Noto Serif SC"})

_TOO_LONG = "face too long"
_compilers = threading.local()


class FontsMissingError(RuntimeError):
    """No folder of `fonts` holds a family of FAMILIES; typst would print empty boxes."""


class FaceTooLongError(ValueError):
    """The texts do not fit on one page even in the smallest type."""


def render(face: CertificateFace, *, qr_png: bytes, fonts: Sequence[Path] = DEBIAN_FONTS) -> bytes:
    """The PDF, the same bytes for the same input; nothing is written to disk.

    `fonts` are folders. CPU-bound (about 10 ms, without the GIL): call it from a worker's thread. Raises
    FontsMissingError, FaceTooLongError.
    """
    inputs = {"face": json.dumps(_page(face), ensure_ascii=False), "qr": json.dumps(list(qr_png))}
    try:
        pdf = _compiler(tuple(fonts)).compile(format="pdf", sys_inputs=inputs)
    except typst.TypstError as error:
        if _TOO_LONG in str(error):
            raise FaceTooLongError("the face does not fit on one page") from None
        raise
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single PDF")
    return pdf


def check_fonts(fonts: Sequence[Path]) -> None:
    """Raise FontsMissingError unless `render` can print with these folders."""
    _load(tuple(fonts))


def _page(face: CertificateFace) -> dict[str, object]:
    day = face.registered_on
    return {
        "number": face.number,
        "rows": rows(face),
        "remarks": "\n".join(face.remarks),
        "registry_name": face.registry_name,
        "date": [day.year, day.month, day.day],
        "date_text": chinese_date(day),
        "printed_serial": face.printed_serial,
    }


def _compiler(fonts: tuple[Path, ...]) -> typst.Compiler:
    """This thread's compiler: its caches make the second page six times as fast as the first."""
    compilers: dict[tuple[Path, ...], typst.Compiler] | None = getattr(_compilers, "by_fonts", None)
    if compilers is None:
        compilers = _compilers.by_fonts = {}
    if fonts not in compilers:
        compilers[fonts] = typst.Compiler(LAYOUT, root=LAYOUT.parent, font_paths=_load(fonts))
    return compilers[fonts]


@cache
def _load(fonts: tuple[Path, ...]) -> typst.Fonts:
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(fonts))
    if FAMILIES.isdisjoint(found.families()):
        raise FontsMissingError("no Noto Serif SC among the fonts; Debian has it in fonts-noto-cjk")
    return found
