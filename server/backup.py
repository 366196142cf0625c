"""Backup and restore of the embedded mode: one file with the database, the files and their digests, never the keys."""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
        with unfinished.open("rb") as done:
            os.fsync(done.fileno())
        unfinished.rename(target)
    return manifest


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
        digests[DATABASE] = _digest(copy)
        tar.add(copy, arcname=DATABASE)
        for path in _stored(files):
            name = f"{FILES}/{path.relative_to(files)}"
            digests[name] = _digest(path)
            tar.add(path, arcname=name, recursive=False)
        manifest = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "sha256": digests}
        content = json.dumps(manifest, indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return manifest


def _stored(files: Path) -> Iterator[Path]:
    return (path for path in sorted(files.rglob("*")) if path.is_file()) if files.is_dir() else iter(())


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def restore(*, source: Path, database: Path, files: Path) -> dict[str, Any]:
    """Put a backup back where nothing is; every digest is checked before anything is moved into place."""
    if database.exists() or (files.is_dir() and any(files.iterdir())):
        raise BackupError(f"{database} or {files} is not empty; stop the service and move them away first")
    database.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=database.parent) as folder:
        manifest = _unpack(source, Path(folder))
        unpacked = Path(folder) / FILES
        if unpacked.is_dir():
            if files.is_dir():
                files.rmdir()
            files.parent.mkdir(parents=True, exist_ok=True)
            unpacked.rename(files)
        (Path(folder) / DATABASE).rename(database)
    return manifest


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        expected: dict[str, str] = manifest["sha256"]
    except (tarfile.TarError, OSError, KeyError, ValueError) as error:
        raise BackupError(f"{source} is not a backup of ours: {error}") from error
    if manifest["format"] != FORMAT:
        raise BackupError(f"{source} has format {manifest['format']}, this version reads {FORMAT}")
    found = {str(path.relative_to(folder)): _digest(path) for path in _stored(folder) if path.name != MANIFEST}
    if found != expected:
        wrong = sorted(set(found.items()) ^ set(expected.items()))
        raise BackupError(f"{source} is damaged at {wrong[0][0]}; nothing was restored")
    return manifest
