"""Bytes out of compressed files, never more than allowed."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from payments.bills.bill import UnreadableBill

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes of a bill as downloaded."""
LARGEST_CONTENT = 256 * 1024 * 1024
"""Bytes of a bill unpacked: a city's day has some thousand lines of half a kilobyte; more is no bill."""
_GZIP = b"\x1f\x8b"
_MOST_MEMBERS = 8
_CHUNK = 1024 * 1024


def gunzipped(raw: bytes, *, most: int = LARGEST_CONTENT) -> bytes:
    """The content of a gzip file, or `raw` itself when it is none; UnreadableBill for a damaged or too large one."""
    if not raw.startswith(_GZIP):
        _check_size(raw, most)
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            return _read(file, most)
    except (OSError, EOFError, zlib.error):
        raise UnreadableBill("the gzip file is damaged") from None


def members(raw: bytes, *, most: int = LARGEST_CONTENT) -> Iterator[bytes]:
    """The files of a zip, in its order, names unread; UnreadableBill for a damaged, locked or too large one."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for entry in _entries(archive):
                with archive.open(entry) as file:
                    content = _read(file, most)
                most -= len(content)
                yield content
    except UnreadableBill:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
        raise UnreadableBill("the zip file is damaged or locked") from None


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > _MOST_MEMBERS:
        raise UnreadableBill(f"the zip holds more than {_MOST_MEMBERS} files")
    return entries


def _read(file: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    """Read on while it stays within bounds: what a header says of the size is nobody's word."""
    content = bytearray()
    while chunk := file.read(_CHUNK):
        content += chunk
        _check_size(content, most)
    return bytes(content)


def _check_size(content: bytes | bytearray, most: int) -> None:
    if len(content) > most:
        raise UnreadableBill("the bill is too large unpacked")
