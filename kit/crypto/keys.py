"""The ring of master keys, in a directory only its owner can read.

Each `<key_id>.key` holds 32 bytes as base64; `current` names the key that new data is sealed with; older
keys stay to open what they sealed, until nothing is left of it and they are set aside in `retired`. `blind.key`
is apart and never rotated, because an index must give the same value for ever.
"""

import base64
import binascii
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
BLIND = "blind"
NOTICE_SECONDS = 5.0  # so soon does a running process notice that another key is current
RETIRE_AFTER_SECONDS = 3600.0  # far longer than any upload or transaction that began under the former key
_RETIRED = "retired"
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,15}")
_NUMBERED = re.compile(r"k([0-9]{1,6})")
_OTHERS = 0o077


class UnknownKey(LookupError):
    """No key of that name is in the ring."""


class KeyInUse(Exception):
    """The key may not be retired; the text says why."""


class KeyRing:
    """Master keys by id; the one named `blind` serves indexes and digests only.

    Every use takes a sub-key of its own (HKDF-SHA256 under the label of the use), so that no two uses
    share a key.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, *, directory: Path | None = None) -> None:
        """With `directory`, what another process adds there or makes current is noticed."""
        self._keys = {_checked_id(name): _checked_key(key) for name, key in keys.items()}
        self._derived: dict[tuple[str, str], bytes] = {}
        self._directory = directory
        if current not in self._keys or current == BLIND:
            raise UnknownKey(current)
        self._current = current
        self._look_again = time.monotonic() + NOTICE_SECONDS

    @property
    def current(self) -> str:
        """The id to seal new data under; may be another at the next call, so ask once for each token.

        OSError or LookupError when the directory no longer tells or its key cannot be read: a process that went
        on with the key it knew could seal with one that is about to be retired.
        """
        if self._directory is not None and time.monotonic() >= self._look_again:
            named = _read_current(self._directory)
            if named == BLIND:
                raise UnknownKey(named)
            self._master(named)
            self._current = named
            self._look_again = time.monotonic() + NOTICE_SECONDS
        return self._current

    @property
    def key_ids(self) -> frozenset[str]:
        """The ids that data may be sealed under."""
        return frozenset(self._keys) - {BLIND}

    def sub_key(self, key_id: str, label: str) -> bytes:
        """Derive 32 bytes for one use of one key; UnknownKey if the ring lacks it."""
        found = self._derived.get((key_id, label))
        if found is None:
            hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"yichuang:{label}".encode())
            found = self._derived[key_id, label] = hkdf.derive(self._master(key_id))
        return found

    def _master(self, key_id: str) -> bytes:
        if key_id not in self._keys and self._directory is not None and _KEY_ID.fullmatch(key_id):
            path = self._directory / f"{key_id}.key"
            if path.exists():
                self._keys[key_id] = _read_key(path)
        try:
            return self._keys[key_id]
        except KeyError:
            raise UnknownKey(key_id) from None


def load_key_ring(directory: Path) -> KeyRing:
    """Read the ring; PermissionError if others may read a key, LookupError or OSError if one is missing."""
    current = _read_current(directory)
    keys = {path.stem: _read_key(path) for path in sorted(directory.glob("*.key"))}
    if BLIND not in keys:
        raise UnknownKey(BLIND)
    return KeyRing(keys, current, directory=directory)


def create_key_ring(directory: Path) -> KeyRing:
    """Make the ring unless it is there, and load it; several processes may do so at once."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (directory / "current").exists():
        # A first file wins and is never replaced: another process may already seal with it.
        for name in ("k1", BLIND):
            _write_new(directory / f"{name}.key", _fresh_key())
        _write_new(directory / "current", "k1\n")
    return load_key_ring(directory)


def add_key(directory: Path) -> str:
    """Add a key, make it the current one and return its id; running processes follow within NOTICE_SECONDS."""
    known = [*directory.glob("*.key"), *(directory / _RETIRED).glob("*.key")]  # an id is never given twice
    numbers = [int(m[1]) for path in known if (m := _NUMBERED.fullmatch(path.stem))]
    key_id = f"k{max(numbers, default=0) + 1}"
    if not _write_new(directory / f"{key_id}.key", _fresh_key()):
        raise FileExistsError(key_id)
    staged = directory / f".current.{secrets.token_hex(8)}"
    _write_durably(staged, f"{key_id}\n")
    staged.replace(directory / "current")
    _sync_directory(directory)
    return key_id


def check_retirable(directory: Path, key_id: str) -> None:
    """Raise KeyInUse for a key that processes may seal with, UnknownKey for none; what it sealed is not looked at."""
    if key_id == BLIND:
        raise KeyInUse("the blind index has one key for ever")
    if not _KEY_ID.fullmatch(key_id) or not (directory / f"{key_id}.key").is_file():
        raise UnknownKey(key_id)
    if key_id == _read_current(directory):
        raise KeyInUse(f"{key_id} is the current key")
    waits = RETIRE_AFTER_SECONDS - (time.time() - (directory / "current").stat().st_mtime)
    if waits > 0:
        raise KeyInUse(f"what was begun under {key_id} may still be written for {waits / 60:.0f} minutes")


def retire_key(directory: Path, key_id: str) -> Path:
    """Set a key aside in `retired`, where no ring looks for it, and return its path; errors as `check_retirable`.

    The caller has made sure that nothing is sealed with it any more. The file is kept for the backups that still need
    it: moved back, it is in the ring again.
    """
    check_retirable(directory, key_id)
    retired = directory / _RETIRED / f"{key_id}.key"
    retired.parent.mkdir(mode=0o700, exist_ok=True)
    (directory / f"{key_id}.key").rename(retired)
    for changed in (retired.parent, directory):
        _sync_directory(changed)
    return retired


def _read_current(directory: Path) -> str:
    return (directory / "current").read_text(encoding="ascii").strip()


def _fresh_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"


def _read_key(path: Path) -> bytes:
    if path.stat().st_mode & _OTHERS:
        raise PermissionError(f"{path} may be read by others; its mode must be 0600")
    try:
        return _checked_key(base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True))
    except (binascii.Error, ValueError):
        # Not chained: the cause would carry the file's text.
        raise ValueError(f"{path} does not hold {KEY_BYTES} bytes as base64") from None


def _checked_key(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return bytes(key)


def _checked_id(key_id: str) -> str:
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError(f"{key_id!r} is no key id")
    return key_id


def _write_new(path: Path, text: str) -> bool:
    """Write the whole file or leave the one that is there; a crash never leaves half a key."""
    staged = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write_durably(staged, text)
    try:
        path.hardlink_to(staged)
    except FileExistsError:
        return False
    finally:
        staged.unlink()
    _sync_directory(path.parent)
    return True


def _write_durably(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
