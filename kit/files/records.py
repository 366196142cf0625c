"""The form of a stored file: a header, then records of 1 MiB sealed with AES-256-GCM (STREAM construction).

Header: magic `YCF1`, length of the key id, key id, 32 random bytes. From these and the master key comes a
key of this file's own. A record's nonce is 7 derived bytes, its number (4 bytes) and whether it is the
last (1 byte), so records cannot be changed, dropped, repeated, reordered or moved to another file without
notice.
"""

import secrets
from collections.abc import AsyncIterable, AsyncIterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kit.crypto.keys import BLIND, KeyRing, UnknownKey
from kit.files.errors import FileDamaged

RECORD_BYTES = 1024 * 1024
_SEALED_BYTES = RECORD_BYTES + 16
HEAD_BYTES = 4 + 1 + 16  # how much of a stored file's start tells its key: magic, length, the longest key id
_MAGIC = b"YCF1"
_SALT_BYTES = 32
_PREFIX_BYTES = 7
_KEY_BYTES = 32


class RecordSealer:
    """Seals the records of one new file, in order; the first carries the header."""

    def __init__(self, ring: KeyRing) -> None:
        key_id = ring.current
        salt = secrets.token_bytes(_SALT_BYTES)
        self._header = _MAGIC + bytes([len(key_id)]) + key_id.encode() + salt
        self._gcm, self._prefix = _file_key(ring, key_id, salt)
        self._number = 0

    def seal(self, block: bytes | bytearray, *, last: bool) -> bytes:
        """Seal one block: exactly `RECORD_BYTES`, the last at most so many."""
        sealed = self._gcm.encrypt(_nonce(self._prefix, self._number, last=last), block, self._header)
        self._number += 1
        return self._header + sealed if self._number == 1 else sealed


def key_id_of(head: bytes) -> str:
    """Say under which key a stored file is sealed, by its first HEAD_BYTES; FileDamaged if they are no header."""
    fixed = len(_MAGIC) + 1
    if not head.startswith(_MAGIC) or len(head) < fixed or len(head) < fixed + head[len(_MAGIC)]:
        raise FileDamaged("not a stored file of this form")
    return head[fixed : fixed + head[len(_MAGIC)]].decode("latin-1")


async def opened(ring: KeyRing, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Open a stored file as it streams in, block by block; FileDamaged at the first wrong record."""
    pending = bytearray()
    opener: _RecordOpener | None = None
    async for chunk in chunks:
        pending += chunk
        if opener is None:
            opener = _RecordOpener.from_start(ring, pending)
        # A full record may be the last one: it is opened only when more follows.
        while opener and len(pending) > _SEALED_BYTES:
            sealed = bytes(memoryview(pending)[:_SEALED_BYTES])
            del pending[:_SEALED_BYTES]
            yield opener.open(sealed, last=False)
    if opener is None:
        raise FileDamaged("the header is cut short")
    yield opener.open(bytes(pending), last=True)


class _RecordOpener:
    def __init__(self, header: bytes, gcm: AESGCM, prefix: bytes) -> None:
        self._header = header
        self._gcm = gcm
        self._prefix = prefix
        self._number = 0

    @classmethod
    def from_start(cls, ring: KeyRing, pending: bytearray) -> "_RecordOpener | None":
        """Take the header off the front, or give None while it has not wholly arrived."""
        fixed = len(_MAGIC) + 1
        if len(pending) < fixed:
            return None
        if pending[: len(_MAGIC)] != _MAGIC:
            raise FileDamaged("not a stored file of this form")
        end = fixed + pending[len(_MAGIC)] + _SALT_BYTES
        if len(pending) < end:
            return None
        header = bytes(pending[:end])
        del pending[:end]
        key_id = header[fixed:-_SALT_BYTES].decode("latin-1")
        try:
            return cls(header, *_file_key(ring, key_id, header[-_SALT_BYTES:]))
        except UnknownKey:
            raise FileDamaged("sealed under a key that is not in the ring") from None

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        try:
            block = self._gcm.decrypt(_nonce(self._prefix, self._number, last=last), sealed, self._header)
        except (InvalidTag, ValueError):
            raise FileDamaged(f"record {self._number} does not open") from None
        self._number += 1
        return block


def _file_key(ring: KeyRing, key_id: str, salt: bytes) -> tuple[AESGCM, bytes]:
    if key_id == BLIND:
        raise UnknownKey(key_id)
    hkdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES + _PREFIX_BYTES, salt=salt, info=b"yichuang:file:records")
    derived = hkdf.derive(ring.sub_key(key_id, "file"))
    return AESGCM(derived[:_KEY_BYTES]), derived[_KEY_BYTES:]


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
