"""Checking a sealed certificate file, as anyone can who has the registry's root certificate."""

import asyncio
import datetime as dt
import io
from dataclasses import dataclass

from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext


@dataclass(frozen=True, slots=True)
class PdfCheck:
    """`valid`: intact, and by a signer under the roots. Accept a file only if it is `sound`.

    A signature stays valid when bytes are appended after it; `covers_whole_file` says that none were.
    `stamped_at` is the trusted timestamp inside the signature, None without one.
    """

    valid: bool
    covers_whole_file: bool
    signer: str = ""
    stamped_at: dt.datetime | None = None

    @property
    def sound(self) -> bool:
        return self.valid and self.covers_whole_file


_UNSIGNED = PdfCheck(valid=False, covers_whole_file=False)


def verify_pdf(pdf: bytes, *, roots: bytes, moment: dt.datetime | None = None) -> PdfCheck:
    """Check the file's one signature against PEM `roots`, offline, as of `moment` (default now).

    Never raises for a bad file. CPU-bound (about 20 ms) with an event loop of its own: call it from a thread.
    """
    try:
        signatures = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
        if len(signatures) != 1:
            return _UNSIGNED
        return asyncio.run(_check(signatures[0], roots, moment))
    except (PdfError, SigningError, SignatureValidationError, ValueError, KeyError, TypeError):
        # What pyHanko raises on damaged files is not one family; a file it cannot read is not a valid one.
        return _UNSIGNED


async def _check(signature: EmbeddedPdfSignature, roots: bytes, moment: dt.datetime | None) -> PdfCheck:
    context = ValidationContext(
        trust_roots=list(load_certs_from_pemder_data(roots)), allow_fetching=False, moment=moment
    )
    status = await async_validate_pdf_signature(signature, context, context)
    stamp = status.timestamp_validity
    return PdfCheck(
        valid=bool(status.bottom_line),
        covers_whole_file=status.coverage == SignatureCoverageLevel.ENTIRE_FILE,
        signer=str(status.signing_cert.subject.native.get("common_name", "")),
        stamped_at=stamp.timestamp if stamp is not None and stamp.valid and stamp.trusted else None,
    )
