"""Where sealed files lie: a folder, which this module writes durably itself, or any other object store.

The object store library neither syncs a local file to disk nor tidies up after a cancelled write, so a
folder is written here; every other store completes an object as a whole or not at all.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.store import LocalStore, ObjectStore

from kit.files.records import RECORD_BYTES
from kit.ids import new_id

TEMPORARY = "_tmp"
_PART_BYTES = 5 * 1024 * 1024


class Place(Protocol):
    """Whole objects under relative paths; what is missing raises FileNotFoundError."""

    async def write(self, records: AsyncIterator[bytes], final: Callable[[], str], *, replace: bool = False) -> None:
        """Write all or nothing; `final` is asked for the path once the records have ended.

        What is there already stays, and the new is dropped; with `replace` it is the other way round: the new takes
        the place of what is there, and is dropped where nothing is.
        """

    def read(self, path: str) -> AsyncIterator[bytes]: ...
    async def head(self, path: str, length: int) -> bytes: ...
    def paths(self) -> AsyncIterator[str]: ...
    async def exists(self, path: str) -> bool: ...
    async def copy(self, path: str, to: str) -> None: ...
    async def delete(self, path: str) -> None: ...
    async def sweep(self, older_than: timedelta) -> int: ...


def place_for(store: ObjectStore) -> Place:
    """Choose by the kind of store."""
    return Folder(store) if isinstance(store, LocalStore) else Objects(store)


class Objects:
    """Any object store: an object appears when its upload completes."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def write(self, records: AsyncIterator[bytes], final: Callable[[], str], *, replace: bool = False) -> None:
        temporary, feed = f"{TEMPORARY}/{new_id()}", _Feed(records)
        try:
            await obstore.put_async(self._store, temporary, feed, chunk_size=_PART_BYTES, max_concurrency=2)
            path = final()
            if await self.exists(path) is replace:
                await obstore.rename_async(self._store, temporary, path)
            else:
                await self.delete(temporary)
        except BaseException:
            # Shielded: a second cancellation must not stop the tidying up.
            await asyncio.shield(asyncio.ensure_future(self._abandon(temporary, feed)))
            raise

    async def _abandon(self, temporary: str, feed: "_Feed") -> None:
        await feed.stop()
        await self.delete(temporary)

    async def read(self, path: str) -> AsyncIterator[bytes]:
        found = await obstore.get_async(self._store, path)
        async for chunk in found.stream(min_chunk_size=RECORD_BYTES):
            yield bytes(chunk)

    async def head(self, path: str, length: int) -> bytes:
        """The first bytes of an object, fewer if it is shorter."""
        return bytes(await obstore.get_range_async(self._store, path, start=0, length=length))

    async def paths(self) -> AsyncIterator[str]:
        """Every object, but for those still being written."""
        async for page in obstore.list(self._store):
            for entry in page:
                if not entry["path"].startswith(f"{TEMPORARY}/"):
                    yield entry["path"]

    async def exists(self, path: str) -> bool:
        try:
            await obstore.head_async(self._store, path)
        except FileNotFoundError:
            return False
        return True

    async def copy(self, path: str, to: str) -> None:
        await obstore.copy_async(self._store, path, to)

    async def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)

    async def sweep(self, older_than: timedelta) -> int:
        before = datetime.now(UTC) - older_than
        removed = 0
        async for page in obstore.list(self._store, TEMPORARY):
            for entry in page:
                if entry["last_modified"] < before:
                    await self.delete(entry["path"])
                    removed += 1
        return removed


class _Abandoned(Exception):
    """The upload is not to be completed."""


class _Feed:
    """Hands records to the store, which asks from tasks of its own and may still be asking when it is cancelled."""

    def __init__(self, records: AsyncIterator[bytes]) -> None:
        self._records = records
        self._asked: asyncio.Task[bytes] | None = None
        self._stopped = False

    def __aiter__(self) -> "_Feed":
        return self

    async def __anext__(self) -> bytes:
        if self._stopped:
            raise _Abandoned
        self._asked = asyncio.create_task(self._next())
        try:
            return await self._asked
        except asyncio.CancelledError:
            if self._stopped:
                raise _Abandoned from None
            raise

    async def _next(self) -> bytes:
        return await anext(self._records)

    async def stop(self) -> None:
        """Give no more, and wait until the record being made is given up."""
        self._stopped = True
        if self._asked is not None and not self._asked.done():
            self._asked.cancel()
            await asyncio.wait([self._asked])


class Folder(Objects):
    """A folder on this machine: file and folder reach the disk before `write` returns."""

    def __init__(self, store: LocalStore) -> None:
        super().__init__(store)
        if store.prefix is None:
            raise ValueError("a local store needs its folder")
        self._root = Path(store.prefix)

    async def write(self, records: AsyncIterator[bytes], final: Callable[[], str], *, replace: bool = False) -> None:
        (self._root / TEMPORARY).mkdir(mode=0o700, exist_ok=True)
        temporary = _Temporary(self._root / TEMPORARY / new_id())
        try:
            async for record in records:
                await asyncio.to_thread(temporary.write, record)
            path = self._root / final()
            await asyncio.to_thread(temporary.settle, path, self._root, replace=replace)
        except BaseException:
            temporary.abandon()
            raise

    async def copy(self, path: str, to: str) -> None:
        await asyncio.to_thread(_link, self._root / path, self._root / to, self._root)

    async def sweep(self, older_than: timedelta) -> int:
        return await asyncio.to_thread(self._sweep, time.time() - older_than.total_seconds())

    def _sweep(self, before: float) -> int:
        found = list((self._root / TEMPORARY).glob("*"))
        old = [path for path in found if path.stat().st_mtime < before]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


class _Temporary:
    """A file being written from threads, which a cancelled task may abandon at any moment.

    The lock keeps the descriptor open while a thread uses it: closed too early, its number could already
    belong to another file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._open = True

    def write(self, data: bytes) -> None:
        with self._lock:
            view = memoryview(data)
            while self._open and view:
                view = view[os.write(self._descriptor, view) :]

    def settle(self, path: Path, root: Path, *, replace: bool) -> None:
        """Bring it to the disk under its final name, or drop it: see `Place.write`."""
        with self._lock:
            if not self._open:
                return
            os.fsync(self._descriptor)
            self._close()
            if path.exists() is not replace:
                self._path.unlink()
                return
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.replace(path)
            _sync_up(path.parent, root)

    def abandon(self) -> None:
        with self._lock:
            self._close()
            self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)


def _link(source: Path, target: Path, root: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A stored file never changes, so two names may share it; equal content there already is the same file.
    with contextlib.suppress(FileExistsError):
        target.hardlink_to(source)
    _sync_up(target.parent, root)


def _sync_up(folder: Path, root: Path) -> None:
    """Sync a folder and those above it: the folder itself may be new."""
    for one in (folder, *folder.parents):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if one == root:
            return
