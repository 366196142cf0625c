"""Backup and restore of the embedded mode: one file with the database, the files and their digests, never the keys."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from kit.files.places import TEMPORARY

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database.db", "files"


class BackupError(Exception):
    """The backup or the restore did not happen; the text says why and what to do."""


def write(*, database: Path, files: Path, target: Path) -> dict[str, Any]:
    """Write `target` (a .tar.gz) while the service runs, and answer its manifest.

    The database is copied first by SQLite's own online backup and the files after it: a file is stored before the row
    that names it, so every row in the copy finds its file. Personal data is sealed in both. The keys are left out: keep
    `crypto.keys_directory` and the seal in another place, since the backup cannot be read without them.
    """
    if not database.is_file():
        raise BackupError(f"no database {database}; only the embedded mode (SQLite) is backed up this way")
    if target.exists():
        raise BackupError(f"{target} exists already; a backup is never written over")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder) / DATABASE
        _copy_database(database, copy)
        unfinished = Path(folder) / "backup.tar.gz"
        manifest = _pack(unfinished, copy, files)
        unfinished.chmod(0o600)
        _to_disk(unfinished)
        unfinished.rename(target)
        _to_disk(target.parent)
    return manifest


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_database(database: Path, copy: Path) -> None:
    source, target = sqlite3.connect(database), sqlite3.connect(copy)
    try:
        source.backup(target)
        (verdict,) = target.execute("PRAGMA integrity_check").fetchone()
    finally:
        source.close()
        target.close()
    if verdict != "ok":
        raise BackupError(f"the copied database is damaged: {verdict}")


def _pack(archive: Path, copy: Path, files: Path) -> dict[str, Any]:
    digests: dict[str, str] = {}
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        digests[DATABASE] = _add(tar, copy, DATABASE, digests)
        for path in _stored(files):
            name = f"{FILES}/{path.relative_to(files)}"
            # A file may be removed meanwhile; no row of the copied database is in need of it then.
            with contextlib.suppress(FileNotFoundError):
                digests[name] = _add(tar, path, name, digests)
        manifest = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "sha256": digests}
        content = json.dumps(manifest, indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return manifest


class _Hashing:
    """Reads a file and digests what was read: a file that grows meanwhile must still fit its digest."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._content.read(size)
        self.sha256.update(part)
        return part


def _add(tar: tarfile.TarFile, path: Path, name: str, digests: Mapping[str, str]) -> str:
    with path.open("rb") as content:
        entry, hashing = tar.gettarinfo(arcname=name, fileobj=content), _Hashing(content)
        tar.addfile(entry, cast("IO[bytes]", hashing))
    if entry.islnk():
        # A file of two scopes is one file on the disk, and so it is in the archive: nothing was read of this name.
        return digests[entry.linkname]
    return hashing.sha256.hexdigest()


def _stored(folder: Path) -> Iterator[Path]:
    """Every file, but for uploads in hand: one that grows must not stand for the file it becomes."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if TEMPORARY not in path.relative_to(folder).parts and path.is_file():
            yield path


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def restore(*, source: Path, database: Path, files: Path) -> dict[str, Any]:
    """Put a backup back where nothing is; every digest is checked before anything is moved into place."""
    # A journal left beside a lost database would be played into the restored one.
    left = [database, *(database.with_name(f"{database.name}-{journal}") for journal in ("wal", "shm", "journal"))]
    if any(path.exists() for path in left) or (files.is_dir() and any(files.iterdir())):
        raise BackupError(f"{database} or {files} is not empty; stop the service and move them away first")
    database.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=database.parent) as folder:
        manifest = _unpack(source, Path(folder))
        unpacked = Path(folder) / FILES
        if unpacked.is_dir():
            if files.is_dir():
                files.rmdir()
            files.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(unpacked, files)  # it may be another disk
        (Path(folder) / DATABASE).rename(database)
    return manifest


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        written, expected = manifest["format"], manifest["sha256"]
    except (tarfile.TarError, OSError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{source} is damaged or not a backup of ours: {error}") from error
    if written != FORMAT:
        raise BackupError(f"{source} has format {written}, this version reads {FORMAT}")
    (folder / MANIFEST).unlink()
    found = {str(path.relative_to(folder)): _digest(path) for path in _stored(folder)}
    if found != expected:
        wrong = sorted(set(found.items()) ^ set(expected.items()))
        raise BackupError(f"{source} is damaged at {wrong[0][0]}; nothing was restored")
    return manifest
