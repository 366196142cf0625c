import io
import json
import random
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from server import backup


@dataclass(frozen=True)
class Place:
    """Where an embedded house keeps its things."""

    database: Path
    files: Path

    def rows(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return [name for (name,) in connection.execute("SELECT name FROM shelf ORDER BY name")]

    def restore(self, source: Path) -> None:
        backup.restore(source=source, database=self.database, files=self.files)

    def is_empty(self) -> bool:
        return not self.database.exists() and not self.files.exists()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Place]:
    """A house at work: its database open in WAL mode, with rows that only the journal holds."""
    place = Place(tmp_path / "house" / "yichuang.db", tmp_path / "house" / "files")
    (place.files / "ap1").mkdir(parents=True)
    (place.files / "ap1" / "digest-1").write_bytes(b"sealed one")
    (place.files / "ap1" / backup.MANIFEST).write_bytes(b"a file of this name")
    (tmp_path / "house" / "keys").mkdir()
    (tmp_path / "house" / "keys" / "k1.key").write_text("the master key")
    with closing(sqlite3.connect(place.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE shelf (name TEXT)")
        connection.execute("INSERT INTO shelf VALUES ('a'), ('b')")
        yield place


@pytest.fixture
def empty(tmp_path: Path) -> Place:
    return Place(tmp_path / "new" / "yichuang.db", tmp_path / "new" / "files")


@pytest.fixture
def written(house: Place, tmp_path: Path) -> Path:
    target = tmp_path / "backups" / "one.tar.gz"
    backup.write(database=house.database, files=house.files, target=target)
    return target


def _members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {name: content.read() for name in tar.getnames() if (content := tar.extractfile(name))}


def _rewrite(archive: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def test_what_is_restored_is_what_was_there(house: Place, empty: Place, written: Path):
    empty.restore(written)
    assert empty.rows() == ["a", "b"]
    assert (empty.files / "ap1" / "digest-1").read_bytes() == b"sealed one"
    assert (empty.files / "ap1" / backup.MANIFEST).read_bytes() == b"a file of this name"
    assert {path.name for path in empty.database.parent.iterdir()} == {"yichuang.db", "files"}


def test_the_keys_are_not_in_it_and_only_its_owner_reads_it(written: Path):
    assert sorted(_members(written)) == [
        "database.db",
        "files/ap1/digest-1",
        "files/ap1/manifest.json",
        "manifest.json",
    ]
    assert b"master key" not in b"".join(_members(written).values())
    assert written.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in written.parent.iterdir()] == ["one.tar.gz"]


def test_it_is_taken_while_the_house_writes(house: Place, empty: Place, tmp_path: Path):
    stop = threading.Event()

    def work() -> None:
        with closing(sqlite3.connect(house.database, timeout=5)) as connection:
            for number in range(100_000):
                if stop.is_set():
                    return
                with connection:  # two rows in one transaction: the copy has both or none
                    connection.execute("INSERT INTO shelf VALUES (?), (?)", (f"{number:06}-x", f"{number:06}-y"))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            backup.write(database=house.database, files=house.files, target=tmp_path / f"{number}.tar.gz")
    finally:
        stop.set()
        worker.join()
    empty.restore(tmp_path / "2.tar.gz")
    pairs = [name for name in empty.rows() if "-" in name]
    assert {name[:6] for name in pairs if name.endswith("x")} == {name[:6] for name in pairs if name.endswith("y")}
    assert len(empty.rows()) <= len(house.rows())


def test_a_file_that_grows_while_it_is_read_does_not_spoil_the_backup(
    house: Place, empty: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    growing, read = house.files / "ap1" / "digest-1", backup._Hashing.read

    def grow(self: backup._Hashing, size: int = -1) -> bytes:
        with growing.open("ab") as more:
            more.write(b" and more")
        return read(self, size)

    monkeypatch.setattr(backup._Hashing, "read", grow)
    backup.write(database=house.database, files=house.files, target=tmp_path / "one.tar.gz")
    empty.restore(tmp_path / "one.tar.gz")
    assert (empty.files / "ap1" / "digest-1").read_bytes().startswith(b"sealed one")


def test_a_file_of_two_scopes_is_packed_once_and_restored_as_both(house: Place, empty: Place, tmp_path: Path):
    first, second = house.files / "ap1" / "digest-1", house.files / "registry" / "digest-1"
    first.write_bytes(random.Random(1).randbytes(100_000))  # noqa: S311 - only not to be compressed
    second.parent.mkdir()
    second.hardlink_to(first)
    target = tmp_path / "one.tar.gz"
    backup.write(database=house.database, files=house.files, target=target)
    empty.restore(target)
    for path in (first, second):
        assert (empty.files / path.relative_to(house.files)).read_bytes() == first.read_bytes()
    assert target.stat().st_size < 150_000


def test_an_upload_in_hand_is_left_out_until_it_is_complete(house: Place, empty: Place, tmp_path: Path):
    growing, complete = house.files / "_tmp" / "u1", house.files / "ap1" / "z"
    growing.parent.mkdir()
    growing.write_bytes(b"half")
    manifest = backup.write(database=house.database, files=house.files, target=tmp_path / "one.tar.gz")
    assert "files/_tmp/u1" not in manifest["sha256"]
    growing.rename(complete)
    (house.files / "ap1" / "zz").hardlink_to(complete)
    backup.write(database=house.database, files=house.files, target=tmp_path / "two.tar.gz")
    empty.restore(tmp_path / "two.tar.gz")
    assert (empty.files / "ap1" / "zz").read_bytes() == b"half"


def test_a_file_that_vanishes_meanwhile_is_left_out(
    house: Place, empty: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    listed = [house.files / "ap1" / "digest-1#1", house.files / "ap1" / "digest-1"]
    monkeypatch.setattr(backup, "_stored", lambda _: iter(listed))
    manifest = backup.write(database=house.database, files=house.files, target=tmp_path / "one.tar.gz")
    assert sorted(manifest["sha256"]) == ["database.db", "files/ap1/digest-1"]


def test_a_backup_is_never_written_over(house: Place, written: Path):
    before = written.read_bytes()
    with pytest.raises(backup.BackupError, match="exists already"):
        backup.write(database=house.database, files=house.files, target=written)
    assert written.read_bytes() == before


def test_a_house_without_a_database_has_no_backup(empty: Place, tmp_path: Path):
    with pytest.raises(backup.BackupError, match="no database"):
        backup.write(database=empty.database, files=empty.files, target=tmp_path / "x.tar.gz")


def test_a_house_without_files_is_backed_up_too(house: Place, empty: Place, tmp_path: Path):
    target = tmp_path / "one.tar.gz"
    backup.write(database=house.database, files=tmp_path / "nothing", target=target)
    empty.restore(target)
    assert empty.rows() == ["a", "b"]


def test_nothing_is_restored_over_a_living_house(house: Place, written: Path):
    with pytest.raises(backup.BackupError, match="not empty"):
        house.restore(written)
    assert house.rows() == ["a", "b"]


@pytest.mark.parametrize("left", ["yichuang.db-wal", "yichuang.db-journal", "files/x"])
def test_nothing_is_restored_beside_what_an_old_house_left(empty: Place, written: Path, left: str):
    path = empty.database.parent / left
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(backup.BackupError, match="not empty"):
        empty.restore(written)
    assert not empty.database.exists()


def test_an_empty_folder_for_files_is_no_obstacle(empty: Place, written: Path):
    empty.files.mkdir(parents=True)
    empty.restore(written)
    assert (empty.files / "ap1" / "digest-1").exists()


@pytest.mark.parametrize("what", ["database.db", "files/ap1/digest-1"])
def test_one_changed_byte_is_found_before_anything_is_put_in_place(empty: Place, written: Path, what: str):
    members = _members(written)
    _rewrite(written, members | {what: members[what] + b"!"})
    with pytest.raises(backup.BackupError, match=f"damaged at {what}"):
        empty.restore(written)
    assert empty.is_empty()


@pytest.mark.parametrize("change", [{"files/ap1/digest-1": None}, {"files/extra": b"x"}])
def test_a_missing_or_added_file_is_found(empty: Place, written: Path, change: dict[str, bytes | None]):
    members = _members(written) | change
    _rewrite(written, {name: content for name, content in members.items() if content is not None})
    with pytest.raises(backup.BackupError, match="damaged at files"):
        empty.restore(written)
    assert empty.is_empty()


@pytest.mark.parametrize("manifest", [None, b"{", b"[]", b"{}", b'{"format": 1}'])
def test_what_has_no_manifest_of_ours_is_no_backup(empty: Place, written: Path, manifest: bytes | None):
    members = _members(written)
    del members[backup.MANIFEST]
    _rewrite(written, members | ({backup.MANIFEST: manifest} if manifest else {}))
    with pytest.raises(backup.BackupError, match="not a backup of ours"):
        empty.restore(written)
    assert empty.is_empty()


def test_a_later_format_is_refused(empty: Place, written: Path):
    members = _members(written)
    manifest = json.loads(members[backup.MANIFEST]) | {"format": 2}
    _rewrite(written, members | {backup.MANIFEST: json.dumps(manifest).encode()})
    with pytest.raises(backup.BackupError, match="format 2"):
        empty.restore(written)


def test_a_file_cut_short_is_refused(empty: Place, written: Path):
    written.write_bytes(written.read_bytes()[:-200])
    with pytest.raises(backup.BackupError, match="damaged"):
        empty.restore(written)
    assert empty.is_empty()


def test_a_member_may_not_leave_its_folder(empty: Place, written: Path):
    _rewrite(written, _members(written) | {"../../escaped": b"x"})
    with pytest.raises(backup.BackupError):
        empty.restore(written)
    assert not list(written.parents[1].rglob("escaped"))
