import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from kit.crypto.keys import KeyRing
from kit.files.errors import FileDamaged, FileTooLarge
from kit.files.records import RecordSealer
from kit.files.store import FileStore, StoredFile, local_store, store_of
from kit.settings import FilesSettings

MIB = 1024 * 1024
KEYS = {"k1": b"1" * 32, "k2": b"2" * 32}
ABSENT = "0" * 64


@pytest.fixture(params=["folder", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return local_store(tmp_path / "files") if request.param == "folder" else MemoryStore()


@pytest.fixture
def files(store: ObjectStore) -> FileStore:
    return FileStore(store, KeyRing(KEYS, "k1"))


def names(store: ObjectStore) -> list[str]:
    return sorted(entry["path"] for page in store.list() for entry in page)


async def stream(data: bytes, step: int = 60_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


async def put(files: FileStore, data: bytes, scope: str = "application/a1", limit: int = 8 * MIB) -> StoredFile:
    return await files.put(scope=scope, chunks=stream(data), limit=limit)


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 17])
async def test_there_and_back(files: FileStore, size: int):
    data = os.urandom(size)
    stored = await put(files, data)
    assert stored == StoredFile(hashlib.sha256(data).hexdigest(), size)
    assert await files.read(scope="application/a1", digest=stored.digest, limit=size) == data


async def test_one_large_chunk_is_cut_into_records(files: FileStore):
    data = os.urandom(3 * MIB + 5)
    stored = await files.put(scope="a", chunks=stream(data, 4 * MIB), limit=4 * MIB)
    blocks = [block async for block in await files.open(scope="a", digest=stored.digest)]
    assert [len(block) for block in blocks] == [MIB, MIB, MIB, 5]
    assert b"".join(blocks) == data


async def test_what_is_stored_is_not_the_content(files: FileStore, store: ObjectStore):
    text = "张三的身份证".encode() * 100
    stored = await put(files, text)
    raw = bytes(store.get(f"application/a1/{stored.digest}").bytes())
    assert "身份证".encode() not in raw
    again = await put(files, text, scope="b")
    assert bytes(store.get(f"b/{again.digest}").bytes())[40:] != raw[40:]


async def test_equal_content_is_kept_once(files: FileStore, store: ObjectStore):
    first, second = await put(files, b"same"), await put(files, b"same")
    assert first == second
    assert names(store) == [f"application/a1/{first.digest}"]


async def test_equal_content_at_once(files: FileStore, store: ObjectStore):
    data = os.urandom(2 * MIB)
    stored = await asyncio.gather(*(put(files, data) for _ in range(5)))
    assert names(store) == [f"application/a1/{stored[0].digest}"]
    assert await files.read(scope="application/a1", digest=stored[0].digest, limit=2 * MIB) == data


async def test_a_byte_too_many_leaves_nothing(files: FileStore, store: ObjectStore):
    with pytest.raises(FileTooLarge):
        await put(files, b"x" * (2 * MIB + 1), limit=2 * MIB)
    assert names(store) == []


async def test_a_stream_that_breaks_leaves_nothing(files: FileStore, store: ObjectStore):
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3 * MIB
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.put(scope="a", chunks=broken(), limit=8 * MIB)
    assert names(store) == []


@pytest.mark.parametrize("wait", [0, 0.0005, 0.002, 0.005, 0.02])
async def test_cancellation_leaves_nothing(files: FileStore, store: ObjectStore, tmp_path: Path, wait: float):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB
            await asyncio.sleep(0)

    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting descriptors
    for _ in range(10):
        task = asyncio.create_task(files.put(scope="a", chunks=endless(), limit=1 << 40))
        await asyncio.sleep(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def left() -> bool:
        opened = len(os.listdir("/proc/self/fd")) - before  # noqa: PTH208 - counting descriptors
        # Threads' pipes apart, none leaked.
        return bool(names(store)) or any(each.is_file() for each in (tmp_path / "files").rglob("*")) or opened > 5

    async with asyncio.timeout(60):
        while left():  # noqa: ASYNC110 - what a thread has begun to write, it takes away when it ends
            await asyncio.sleep(0.01)


async def test_any_damage_is_noticed(files: FileStore, store: ObjectStore):
    data = os.urandom(2 * MIB + 100)
    digest = (await put(files, data, scope="a")).digest
    raw = bytes(store.get(f"a/{digest}").bytes())
    header = 4 + 1 + 2 + 32
    record = MIB + 16
    first, second, last = (
        raw[header : header + record],
        raw[header + record : header + 2 * record],
        raw[-116:],
    )
    damaged = [
        b"",
        raw[:3],
        raw[:20],
        raw[:header],
        b"X" + raw[1:],
        raw[:5] + b"k9" + raw[7:],
        raw[:5] + b"k2" + raw[7:],
        raw[:-1],
        raw[:-116],
        raw[: header + record],
        raw + b"x",
        raw[:header] + second + first + last,
        raw[:header] + first + last,
        raw[:header] + first + second + second + last,
        raw[: header + 9] + bytes([raw[header + 9] ^ 1]) + raw[header + 10 :],
    ]
    for number, wrong in enumerate(damaged):
        store.put(f"a/{digest}", wrong)
        with pytest.raises(FileDamaged):
            pytest.fail(f"{number}: {len(await files.read(scope='a', digest=digest, limit=8 * MIB))}")


async def test_another_files_content_is_noticed(files: FileStore, store: ObjectStore):
    one, other = await put(files, b"one", scope="a"), await put(files, b"other", scope="a")
    store.copy(f"a/{other.digest}", f"a/{one.digest}")
    seen = []
    with pytest.raises(FileDamaged):
        seen = [block async for block in await files.open(scope="a", digest=one.digest)]
    assert seen == []


async def test_rotation_still_opens_old_files(files: FileStore, store: ObjectStore):
    stored = await put(files, b"old", scope="a")
    after = FileStore(store, KeyRing(KEYS, "k2"))
    assert await after.read(scope="a", digest=stored.digest, limit=10) == b"old"
    with pytest.raises(FileDamaged):
        await FileStore(store, KeyRing({"k2": KEYS["k2"]}, "k2")).read(scope="a", digest=stored.digest, limit=10)


async def key_ids(files: FileStore) -> dict[str, str]:
    return {path: key_id async for path, key_id in files.key_ids()}


@pytest.mark.parametrize("size", [0, 1, MIB, 2 * MIB + 17])
async def test_a_file_sealed_anew_is_the_same_file_under_the_current_key(
    files: FileStore, store: ObjectStore, size: int
):
    data = os.urandom(size)
    stored = await put(files, data, scope="a")
    path = f"a/{stored.digest}"
    after = FileStore(store, KeyRing(KEYS, "k2"))
    assert await key_ids(after) == {path: "k1"}
    await after.reseal(path)
    assert await key_ids(after) == {path: "k2"}
    only_new = FileStore(store, KeyRing({"k2": KEYS["k2"]}, "k2"))
    assert await only_new.read(scope="a", digest=stored.digest, limit=size) == data
    assert names(store) == [path]


async def test_a_reader_who_began_before_reads_to_the_end(files: FileStore, store: ObjectStore):
    data = os.urandom(3 * MIB)
    stored = await put(files, data, scope="a")
    reading = await files.open(scope="a", digest=stored.digest)
    seen = [await anext(reading)]
    await FileStore(store, KeyRing(KEYS, "k2")).reseal(f"a/{stored.digest}")
    seen += [block async for block in reading]
    assert b"".join(seen) == data


@pytest.mark.parametrize("broken", ["a bit", "its name"])
async def test_a_damaged_file_is_not_sealed_anew(files: FileStore, store: ObjectStore, broken: str):
    stored = await put(files, os.urandom(2 * MIB), scope="a")
    path = f"a/{stored.digest}"
    raw = bytearray(store.get(path).bytes())
    if broken == "a bit":
        raw[-1] ^= 1
    else:
        path = f"a/{ABSENT}"
    store.put(path, bytes(raw))
    before = names(store)
    with pytest.raises(FileDamaged):
        await FileStore(store, KeyRing(KEYS, "k2")).reseal(path)
    assert bytes(store.get(path).bytes()) == raw
    assert names(store) == before


async def test_a_file_deleted_meanwhile_is_not_brought_back(
    files: FileStore, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
):
    gone = await put(files, b"gone", scope="a")
    path = f"a/{gone.digest}"
    after = FileStore(store, KeyRing(KEYS, "k2"))
    real = RecordSealer.seal

    def deleting(self: RecordSealer, block: bytes, *, last: bool) -> bytes:
        store.delete(path)
        return real(self, block, last=last)

    monkeypatch.setattr(RecordSealer, "seal", deleting)
    await after.reseal(path)
    assert names(store) == []
    with pytest.raises(FileNotFoundError):
        await after.reseal(path)
    assert names(store) == []


async def test_what_is_no_file_of_ours_has_no_key(files: FileStore, store: ObjectStore):
    store.put("notes.txt", b"x")
    store.put("_tmp/half", b"YCF1")
    for number, raw in enumerate((b"Y", b"YCF1", b"YCF1\x05k1", b"PK" + b"x" * 60)):
        store.put(f"a/{number:064x}", raw)
    assert set((await key_ids(files)).items()) == {(f"a/{number:064x}", "") for number in range(4)}


async def test_reading_respects_its_limit(files: FileStore):
    stored = await put(files, b"12345", scope="a")
    with pytest.raises(FileTooLarge):
        await files.read(scope="a", digest=stored.digest, limit=4)


async def test_copies_live_for_themselves(files: FileStore):
    digest = (await put(files, b"data", scope="a")).digest
    await files.copy(scope="a", digest=digest, to_scope="b/c")
    await files.copy(scope="a", digest=digest, to_scope="b/c")
    await files.delete("a", digest)
    await files.delete("a", digest)
    assert not await files.exists("a", digest)
    assert await files.exists("b/c", digest)
    assert await files.read(scope="b/c", digest=digest, limit=10) == b"data"


@pytest.mark.parametrize("digest", [ABSENT, "../../etc/passwd", ""])
async def test_what_is_not_there(files: FileStore, digest: str):
    with pytest.raises(FileNotFoundError):
        await files.open(scope="a", digest=digest)
    with pytest.raises(FileNotFoundError):
        await files.copy(scope="a", digest=digest, to_scope="b")


@pytest.mark.parametrize("scope", ["", "_tmp", "../a", "a//b", "a/", "/a", "A"])
async def test_a_scope_stays_in_its_place(files: FileStore, scope: str):
    with pytest.raises(ValueError, match="scope"):
        await put(files, b"x", scope=scope)


async def test_the_sweep_takes_old_temporaries_only(tmp_path: Path):
    files = FileStore(local_store(tmp_path), KeyRing(KEYS, "k1"))
    stored = await put(files, b"kept")
    for name, age in (("old", 7200), ("young", 0)):
        (tmp_path / "_tmp" / name).write_bytes(b"half")
        os.utime(tmp_path / "_tmp" / name, (time.time() - age,) * 2)
    assert await files.sweep_temporaries(timedelta(hours=1)) == 1
    assert [p.name for p in (tmp_path / "_tmp").iterdir()] == ["young"]
    assert await files.exists("application/a1", stored.digest)


async def test_the_sweep_of_an_object_store():
    store = MemoryStore()
    store.put("_tmp/half", b"x")
    files = FileStore(store, KeyRing(KEYS, "k1"))
    assert await files.sweep_temporaries(timedelta(hours=1)) == 0
    assert await files.sweep_temporaries(timedelta(seconds=-5)) == 1
    assert names(store) == []


async def test_files_are_the_owners_alone_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - not a path of ours
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    stored = await put(FileStore(local_store(tmp_path), KeyRing(KEYS, "k1")), b"x", scope="a/b")
    assert "/_tmp/" in synced[0]
    assert synced[1:] == [str(tmp_path / "a/b"), str(tmp_path / "a"), str(tmp_path)]
    assert (tmp_path / "a/b" / stored.digest).stat().st_mode & 0o777 == 0o600


def test_settings_choose_the_store(tmp_path: Path):
    assert isinstance(store_of(FilesSettings(directory=tmp_path / "new")), LocalStore)
    assert (tmp_path / "new").is_dir()
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0o600)
    bucket = FilesSettings(
        s3_bucket="b", s3_endpoint="http://127.0.0.1:9", s3_access_key_id="k", s3_secret_access_key_file=secret
    )
    store = store_of(bucket)
    assert isinstance(store, S3Store)
    assert store.config["bucket"] == "b"
