"""Store and read files by the digest of their content; what reaches the disk or the bucket is sealed."""

import hashlib
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from obstore.store import LocalStore, ObjectStore, S3Store

from kit.crypto.keys import KeyRing
from kit.files.errors import FileDamaged, FileTooLarge
from kit.files.places import place_for
from kit.files.records import HEAD_BYTES, RECORD_BYTES, RecordSealer, key_id_of, opened
from kit.settings import FilesSettings, read_secret

_SCOPE = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """SHA-256 of the content as 64 hex characters, and its size in bytes; both of the content in clear."""

    digest: str
    size: int


def local_store(directory: Path) -> ObjectStore:
    """Keep files in a folder of this machine, made if it is missing."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(directory.resolve())


def store_of(settings: FilesSettings) -> ObjectStore:
    """Open the folder or the S3-compatible bucket that the settings name."""
    if settings.directory is not None:
        return local_store(settings.directory)
    if settings.s3_bucket is None or settings.s3_secret_access_key_file is None:
        raise ValueError("the settings name no place for files")
    endpoint = settings.s3_endpoint
    return S3Store(
        settings.s3_bucket,
        endpoint=endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=read_secret(settings.s3_secret_access_key_file),
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http://"))},
    )


class FileStore:
    """Files within scopes (`application/<id>`); the same content in two scopes is two files.

    A missing file raises FileNotFoundError, one that does not open or is not what its name says
    FileDamaged.
    """

    def __init__(self, store: ObjectStore, ring: KeyRing) -> None:
        self._place = place_for(store)
        self._ring = ring

    async def put(self, *, scope: str, chunks: AsyncIterable[bytes], limit: int) -> StoredFile:
        """Store what streams in, at most `limit` bytes (else FileTooLarge); equal content is kept once.

        When anything fails, the caller is cancelled or `chunks` raises, nothing is left behind.
        """
        folder = _checked(scope)
        content = _Content(self._ring, chunks, limit)
        async with aclosing(content.sealed()) as records:
            await self._place.write(records, lambda: f"{folder}/{content.digest()}")
        return StoredFile(content.digest(), content.size)

    async def open(self, *, scope: str, digest: str) -> AsyncIterator[bytes]:
        """Give the content in blocks of at most 1 MiB, each authentic, the last once the digest is right.

        Awaited first, so that a missing file shows before an answer is begun.
        """
        path = _path(scope, digest)
        if not await self.exists(scope, digest):
            raise FileNotFoundError(path)
        return self._verified(path, digest)

    async def read(self, *, scope: str, digest: str, limit: int) -> bytes:
        """Give the whole content, at most `limit` bytes; FileTooLarge for more."""
        found = bytearray()
        async for block in await self.open(scope=scope, digest=digest):
            if len(found) + len(block) > limit:
                raise FileTooLarge
            found += block
        return bytes(found)

    async def copy(self, *, scope: str, digest: str, to_scope: str) -> None:
        """Make the same file known in another scope; each lives and is deleted for itself."""
        await self._place.copy(_path(scope, digest), _path(to_scope, digest))

    async def exists(self, scope: str, digest: str) -> bool:
        return await self._place.exists(_path(scope, digest))

    async def delete(self, scope: str, digest: str) -> None:
        """Remove the file; one that is not there is no error."""
        await self._place.delete(_path(scope, digest))

    async def sweep_temporaries(self, older_than: timedelta) -> int:
        """Remove what a crash left half-written that long ago, and say how many."""
        return await self._place.sweep(older_than)

    async def key_ids(self) -> AsyncIterator[tuple[str, str]]:
        """Every stored file as its path and the id of its key, which is empty when it has no header of ours."""
        async for path in self._place.paths():
            if not _DIGEST.fullmatch(path.rpartition("/")[2]):
                continue
            try:
                yield path, key_id_of(await self._place.head(path, HEAD_BYTES))
            except FileDamaged:
                yield path, ""
            except FileNotFoundError:
                continue  # deleted since it was listed

    async def reseal(self, path: str) -> None:
        """Seal a stored file anew under the current key, in its place; FileDamaged if it does not open.

        Readers have the old or the new one whole. One that is deleted meanwhile is not brought back, unless that
        happens in the instant before the new one takes its place.
        """
        content = _Content(self._ring, self._verified(path, path.rpartition("/")[2]), sys.maxsize)
        async with aclosing(content.sealed()) as records:
            await self._place.write(records, lambda: path, replace=True)

    async def _verified(self, path: str, digest: str) -> AsyncIterator[bytes]:
        seen = hashlib.sha256()
        held: bytes | None = None
        async for block in opened(self._ring, self._place.read(path)):
            if held is not None:
                yield held
            seen.update(block)
            held = block
        if held is None or seen.hexdigest() != digest:
            raise FileDamaged("another content than the name says")
        if held:
            yield held


class _Content:
    """What streams in, on its way: counted, digested, cut into records and sealed."""

    def __init__(self, ring: KeyRing, chunks: AsyncIterable[bytes], limit: int) -> None:
        self._sealer = RecordSealer(ring)
        self._chunks = chunks
        self._limit = limit
        self._seen = hashlib.sha256()
        self.size = 0

    def digest(self) -> str:
        return self._seen.hexdigest()

    async def sealed(self) -> AsyncGenerator[bytes, None]:
        pending = bytearray()
        async for chunk in self._chunks:
            self.size += len(chunk)
            if self.size > self._limit:
                raise FileTooLarge
            rest = memoryview(chunk)
            while rest:
                # A full block waits until more follows: only then is it known not to be the last.
                if len(pending) == RECORD_BYTES:
                    yield self._seal(pending, last=False)
                    pending = bytearray()
                taken = rest[: RECORD_BYTES - len(pending)]
                pending += taken
                rest = rest[len(taken) :]
        yield self._seal(pending, last=True)

    def _seal(self, block: bytearray, *, last: bool) -> bytes:
        self._seen.update(block)
        return self._sealer.seal(block, last=last)


def _checked(scope: str) -> str:
    if not _SCOPE.fullmatch(scope):
        raise ValueError(f"{scope!r} is no scope")
    return scope


def _path(scope: str, digest: str) -> str:
    # A digest may come from a URL: one that cannot be is simply not there.
    if not _DIGEST.fullmatch(digest):
        raise FileNotFoundError("no digest")
    return f"{_checked(scope)}/{digest}"
