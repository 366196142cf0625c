"""Looking for personal data in clear in whatever was left on the disk, compressed streams included.

python -m sandbox.demo.sweep [FOLDER]
"""

import contextlib
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.demo import cast
from sandbox.demo.needles import Needle, of_address, of_people
from sandbox.people import FICTIONAL

# The demo's own results, and the partners' books: they are meant to be read.
MEANT_TO_BE_READ = ("demo", "sandbox")
_CHUNK, _OVERLAP = 32 * 1024 * 1024, 4096
_LARGEST_STREAM = 16 * 1024 * 1024
_LEAST_STREAM = 16
_DEEPEST = 3
_NEIGHBOUR_CHARACTERS = 3
# How a compressed stream begins, and zlib's word for it.
_STREAMS = (
    (b"\x78\x01", zlib.MAX_WBITS),
    (b"\x78\x5e", zlib.MAX_WBITS),
    (b"\x78\x9c", zlib.MAX_WBITS),
    (b"\x78\xda", zlib.MAX_WBITS),
    (b"\x1f\x8b\x08", zlib.MAX_WBITS | 16),
)
_ZIP_MEMBER, _ZIP_HEADER_BYTES = b"PK\x03\x04", 30


@dataclass(frozen=True, slots=True)
class Finding:
    path: Path
    offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.path} at byte {self.offset}: {self.what}"


def sweep(folder: Path, *, needles: Iterable[Needle] | None = None) -> list[Finding]:
    """What is found in clear in any regular file below `folder`, but for the folders that are meant to be read."""
    everybodys = [*of_people(FICTIONAL), *of_address(cast.RECEIVER["address"])]
    wanted = list(needles) if needles is not None else everybodys
    return [finding for path in _files(folder) for finding in _in_file(path, wanted)]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.relative_to(folder).parts[0] in MEANT_TO_BE_READ or path.is_symlink() or not path.is_file():
            continue
        yield path


def _in_file(path: Path, needles: list[Needle]) -> Iterator[Finding]:
    name = str(path).encode()
    yield from (Finding(path, 0, f"{what}, in the file's name") for _, what in _hits(name, needles))
    try:
        with path.open("rb") as file:
            base, data = 0, file.read(_CHUNK)
            while data:
                yield from (Finding(path, base + place, what) for place, what in _search(data, needles, depth=0))
                more = file.read(_CHUNK)
                if not more:
                    return
                base += len(data) - _OVERLAP
                data = data[-_OVERLAP:] + more
    except FileNotFoundError:  # a database's journal may go while we look
        return


def _search(data: bytes, needles: list[Needle], *, depth: int) -> Iterator[tuple[int, str]]:
    yield from _hits(data, needles)
    if depth < _DEEPEST:
        for place, inner in _inflated(data):
            found = _search(inner, needles, depth=depth + 1)
            yield from ((place, f"{what}, in a compressed stream") for _, what in found)


def _hits(data: bytes, needles: list[Needle]) -> Iterator[tuple[int, str]]:
    for needle in needles:
        place = data.find(needle.data)
        while place >= 0 and not _counts(data, place, needle):
            place = data.find(needle.data, place + 1)
        if place >= 0:
            yield place, needle.what


def _counts(data: bytes, place: int, needle: Needle) -> bool:
    """Four bytes alone turn up by chance in encrypted files: such a hit counts among text of its own charset."""
    if needle.charset is None:
        return True
    width = 2 * _NEIGHBOUR_CHARACTERS
    before = data[max(0, place - width) : place]
    after = data[place + len(needle.data) : place + len(needle.data) + width]
    return _is_text(before, needle.charset) and _is_text(after, needle.charset)


def _is_text(raw: bytes, charset: str) -> bool:
    # A double-byte text may be cut in the middle of a character, and stand between words of a format in ASCII.
    for text in (raw.decode("ascii", "replace"), *(cut.decode(charset, "replace") for cut in (raw, raw[1:], raw[:-1]))):
        if all(each in "\r\n\t" or (each.isprintable() and _is_common(each)) for each in text):
            return True
    return False


def _is_common(character: str) -> bool:
    return character != "\ufffd" and (character < "\x7f" or "\u3000" <= character <= "\u9fff" or character >= "\uff00")


def _inflated(data: bytes) -> Iterator[tuple[int, bytes]]:
    for magic, bits in _STREAMS:
        place = data.find(magic)
        while place >= 0:
            inner = _inflate(data, place, bits)
            if inner:
                yield place, inner
            place = data.find(magic, place + 1)
    yield from _zip_members(data)


def _zip_members(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = data.find(_ZIP_MEMBER)
    while place >= 0:
        head = data[place : place + _ZIP_HEADER_BYTES]
        names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        inner = _inflate(data, place + _ZIP_HEADER_BYTES + names, -zlib.MAX_WBITS)
        if inner:
            yield place, inner
        place = data.find(_ZIP_MEMBER, place + 1)


def _inflate(data: bytes, place: int, bits: int) -> bytes | None:
    """What can be had of the stream; a cut or damaged one gives its sound beginning."""
    engine = zlib.decompressobj(bits)
    out = bytearray()
    step = 64 * 1024
    # Chance bytes may look like a beginning, and what came before a fault still counts.
    with contextlib.suppress(zlib.error):
        while place < len(data) and len(out) < _LARGEST_STREAM and not engine.eof:
            out += engine.decompress(data[place : place + step], _LARGEST_STREAM)
            place += step
    return bytes(out) if len(out) >= _LEAST_STREAM else None


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("var")
    findings = sweep(folder)
    for finding in findings:
        print(finding)
    if findings:
        sys.exit(1)
    print(f"nothing in clear below {folder}")


if __name__ == "__main__":
    main()
