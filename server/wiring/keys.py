"""An installation's key ring together with all that is sealed under it: its database and its files."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from kit.crypto import keys, rotation
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyInUse, KeyRing, load_key_ring
from kit.db.connection import database
from kit.files.errors import FileDamaged
from kit.files.store import FileStore, store_of
from server.database import APPS
from server.settings import Settings
from server.wiring.build import connection
from server.wiring.start import keys_and_secrets

FILES = "files"
_SAY_EVERY = 1000

Counts = Mapping[str, Counter[str]]
"""Key id -> column (`table.column`), or FILES -> how many values or files it sealed; "" where no key is named."""


def add(settings: Settings) -> str:
    """Add a key, make it current and answer its id; processes that run seal with it within NOTICE_SECONDS."""
    with keys_and_secrets():
        _ring(settings)  # only a whole ring is added to
        return keys.add_key(settings.crypto.keys_directory)


async def status(settings: Settings) -> tuple[str, Counts]:
    """Answer the current key's id, and what each key of the ring or of any token has sealed."""
    async with _opened(settings) as (ring, files):
        found = await _counts(files)
        return ring.current, {key_id: found.get(key_id, Counter()) for key_id in sorted({*ring.key_ids, *found})}


async def rotate(settings: Settings, say: Callable[[str], None]) -> Counts:
    """Seal under the current key what any other sealed, and answer what is left under others.

    It may run beside the service, may be stopped at any point, and takes up what is left when it is run again. Left
    are damaged values, and those whose very tokens the audit trail's hashes are over.
    """
    async with _opened(settings) as (ring, files):
        while True:
            todo = _without(await _counts(files), ring.current)
            resealed = await _reseal_columns(Cipher(ring), sum(todo.values(), Counter()), say)
            resealed += await _reseal_files(ring, files, say)
            left = _without(await _counts(files), ring.current)
            # What processes sealed before they noticed the current key is found by another round.
            if not left or not resealed:
                return left


async def retire(settings: Settings, key_id: str) -> Path:
    """Set a former key aside and answer where it lies now.

    KeyInUse while anything is sealed with it, when it is current, or was until less than an hour ago; UnknownKey.
    """
    async with _opened(settings) as (_, files):
        keys.check_retirable(settings.crypto.keys_directory, key_id)
        left = (await _counts(files)).get(key_id)
        if left:
            what = ", ".join(f"{name} ({count})" for name, count in sorted(left.items()))
            raise KeyInUse(f"{key_id} still seals {what}; `yichuang keys rotate` seals it anew")
        return keys.retire_key(settings.crypto.keys_directory, key_id)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[KeyRing, FileStore]]:
    with keys_and_secrets():
        ring = _ring(settings)
        files = FileStore(store_of(settings.files), ring)
    async with database(connection(settings), APPS):
        yield ring, files


def _ring(settings: Settings) -> KeyRing:
    directory = settings.crypto.keys_directory
    if os.geteuid() != directory.stat().st_uid:
        # The service could not read what another user writes.
        raise PermissionError(f"{directory} is another user's; run this as the user of the service")
    return load_key_ring(directory)


async def _counts(files: FileStore) -> dict[str, Counter[str]]:
    found = await rotation.counts()
    async for _, key_id in files.key_ids():
        found.setdefault(key_id, Counter())[FILES] += 1
    return found


def _without(counts: Counts, key_id: str) -> dict[str, Counter[str]]:
    return {other: counted for other, counted in counts.items() if other != key_id}


async def _reseal_columns(cipher: Cipher, todo: Counter[str], say: Callable[[str], None]) -> int:
    done: Counter[str] = Counter()
    async for step in rotation.reseal(cipher):
        name = step.column.name
        before, done[name] = done[name], done[name] + step.resealed
        if done[name] // _SAY_EVERY > before // _SAY_EVERY or before < todo[name] <= done[name]:
            say(f"{name}: {done[name]} of {todo[name]}")
        for row_id in step.damaged:
            say(f"{name}: the value of row {row_id} does not open and stays as it is")
    return done.total()


async def _reseal_files(ring: KeyRing, files: FileStore, say: Callable[[str], None]) -> int:
    done = 0
    async for path, key_id in files.key_ids():
        if key_id == ring.current:
            continue
        try:
            await files.reseal(path)
        except FileDamaged as error:
            say(f"{FILES}: {path} stays as it is: {error}")
        except FileNotFoundError:
            continue  # deleted since it was listed
        else:
            done += 1
            if done % _SAY_EVERY == 0:
                say(f"{FILES}: {done}")
    if done:
        say(f"{FILES}: {done} sealed anew")
    return done
