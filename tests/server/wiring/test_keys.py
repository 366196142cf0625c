"""The commands about keys, as an operator types them, over a database and files with something in them."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kit.crypto import keys as ring
from kit.crypto.cipher import Cipher
from kit.crypto.keys import create_key_ring, load_key_ring
from kit.db import execute, fetch
from kit.db.connection import credentials, database
from kit.files.store import FileStore, local_store
from kit.ids import new_id
from kit.inbox.models import InboxMessage
from server.cli import cli
from server.database import APPS
from server.wiring import keys
from tests.factories.applications import chunks
from tests.support.moments import NOON

INBOX = "kit_inbox.body_sealed"


class Installation:
    """Settings, key ring, database and files; `yichuang` runs a command over them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.keys = folder / "keys"
        self.settings_file = folder / "yichuang.toml"
        self.settings_file.write_text(
            f'[database]\nurl = "{url}"\n[files]\ndirectory = "{folder}/files"\n'
            f'[crypto]\nkeys_directory = "{folder}/keys"\n'
        )
        create_key_ring(self.keys)

    def yichuang(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--settings", str(self.settings_file), "keys", *arguments])

    def in_database(self, work: Callable[[], Awaitable[Any]]) -> Any:
        async def opened() -> Any:
            async with database(credentials(self.url), APPS):
                return await work()

        return asyncio.run(opened())

    def cipher(self) -> Cipher:
        return Cipher(load_key_ring(self.keys))

    def letters(self, count: int) -> None:
        async def write() -> None:
            cipher = self.cipher()
            for _ in range(count):
                one = new_id()
                sealed = cipher.seal_bytes(b"a letter", (INBOX, one))
                await InboxMessage.create(id=one, system="s", external_id=one, body_sealed=sealed, received_at=NOON)

        self.in_database(write)

    def files(self) -> FileStore:
        return FileStore(local_store(self.folder / "files"), load_key_ring(self.keys))

    def file(self, content: bytes, scope: str = "application/a1") -> str:
        return asyncio.run(self.files().put(scope=scope, chunks=chunks(content), limit=1000)).digest

    def let_an_hour_pass(self) -> None:
        os.utime(self.keys / "current", (time.time() - ring.RETIRE_AFTER_SECONDS - 1,) * 2)


@pytest.fixture
def house(empty_database: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path, empty_database)


def test_a_key_is_added_rotated_to_and_the_former_one_retired(house: Installation):
    house.letters(3)
    digests = [house.file(b"one"), house.file(b"two", "certificate/c1")]
    assert house.yichuang("status").output.splitlines() == ["current: k1", "k1: 5", "  files: 2", f"  {INBOX}: 3"]

    assert "k2 is current" in house.yichuang("add").output
    house.letters(1)
    refused = house.yichuang("retire", "k1")
    assert (refused.exit_code, "60 minutes" in refused.output) == (1, True)
    house.let_an_hour_pass()
    refused = house.yichuang("retire", "k1")
    assert refused.exit_code == 1
    assert f"k1 still seals files (2), {INBOX} (3)" in refused.output

    rotated = house.yichuang("rotate")
    assert rotated.exit_code == 0, rotated.output
    assert rotated.output.splitlines() == [
        f"{INBOX}: 3 of 3",
        "files: 2 sealed anew",
        "everything is sealed with the current key",
    ]
    assert house.yichuang("status").output.splitlines() == [
        "current: k2",
        "k1: 0",
        "k2: 6",
        "  files: 2",
        f"  {INBOX}: 4",
    ]
    assert house.yichuang("rotate").output == "everything is sealed with the current key\n"

    retired = house.yichuang("retire", "k1")
    assert retired.exit_code == 0, retired.output
    assert (house.keys / "retired" / "k1.key").is_file()
    assert house.yichuang("status").output.splitlines()[:2] == ["current: k2", "k2: 6"]
    assert house.cipher().current_key_id == "k2"
    rows = house.in_database(lambda: fetch("SELECT id, body_sealed FROM kit_inbox"))
    assert {house.cipher().open_bytes(row["body_sealed"], (INBOX, row["id"])) for row in rows} == {b"a letter"}
    for digest, scope in zip(digests, ("application/a1", "certificate/c1"), strict=True):
        assert asyncio.run(house.files().read(scope=scope, digest=digest, limit=10)) in {b"one", b"two"}


def test_what_is_damaged_is_told_and_its_key_kept(house: Installation):
    house.letters(2)
    digest = house.file(b"one")
    path = house.folder / "files" / "application" / "a1" / digest
    path.write_bytes(path.read_bytes()[:-1])
    [row, _] = house.in_database(lambda: fetch("SELECT id FROM kit_inbox ORDER BY id"))
    wrong = house.cipher().seal_bytes(b"x", (INBOX, "elsewhere"))
    house.in_database(lambda: execute("UPDATE kit_inbox SET body_sealed = ? WHERE id = ?", [wrong, row["id"]]))
    house.yichuang("add")
    house.let_an_hour_pass()
    rotated = house.yichuang("rotate")
    assert rotated.exit_code == 1
    assert f"{INBOX}: the value of row {row['id']} does not open" in rotated.output
    assert f"files: application/a1/{digest} stays as it is: record 0 does not open" in rotated.output
    assert rotated.output.splitlines()[-4:] == [
        "not sealed with the current key:",
        "k1: 2",
        "  files: 1",
        f"  {INBOX}: 1",
    ]
    refused = house.yichuang("retire", "k1")
    assert (refused.exit_code, "k1 still seals" in refused.output) == (1, True)
    assert (house.keys / "k1.key").is_file()


def test_a_crash_at_any_point_leaves_everything_readable_and_the_rest_to_do(
    house: Installation, monkeypatch: pytest.MonkeyPatch
):
    house.letters(1)
    digests = [house.file(content) for content in (b"one", b"two", b"three")]
    house.yichuang("add")
    settled: list[Path] = []
    real = Path.replace

    def dying(self: Path, target: Path) -> Path:
        if "_tmp" in self.parts:
            settled.append(target)
            if len(settled) == 2:
                raise SystemExit(137)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    assert house.yichuang("rotate").exit_code == 137
    monkeypatch.setattr(Path, "replace", real)
    assert house.yichuang("status").output.splitlines() == [
        "current: k2",
        "k1: 2",
        "  files: 2",
        "k2: 2",
        "  files: 1",
        f"  {INBOX}: 1",
    ]
    for digest in digests:
        assert asyncio.run(house.files().exists("application/a1", digest))
        asyncio.run(house.files().read(scope="application/a1", digest=digest, limit=10))
    assert house.yichuang("rotate").output.splitlines()[0] == "files: 2 sealed anew"


def test_what_is_sealed_under_the_old_key_meanwhile_is_found_by_another_round(
    house: Installation, monkeypatch: pytest.MonkeyPatch
):
    house.letters(1)
    stale = house.cipher()
    house.yichuang("add")
    real, late = keys._reseal_files, [new_id()]

    async def with_a_late_letter(*arguments: object) -> int:
        if late:
            one = late.pop()
            sealed = stale.seal_bytes(b"a letter", (INBOX, one))
            await InboxMessage.create(id=one, system="s", external_id=one, body_sealed=sealed, received_at=NOON)
        return await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(keys, "_reseal_files", with_a_late_letter)
    rotated = house.yichuang("rotate")
    assert rotated.exit_code == 0, rotated.output
    assert rotated.output.count(f"{INBOX}: 1 of 1") == 2


@pytest.mark.parametrize("key_id", ["k1", "blind", "k9", "../k1"])
def test_what_is_never_retired(house: Installation, key_id: str):
    house.let_an_hour_pass()
    refused = house.yichuang("retire", key_id)
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: ")
    assert len(refused.output.splitlines()) == 1


def test_another_user_is_refused_before_anything_is_written(house: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    for command in (["add"], ["rotate"], ["status"], ["retire", "k1"]):
        refused = house.yichuang(*command)
        assert (refused.exit_code, "as the user of the service" in refused.output) == (2, True)
    assert sorted(path.name for path in house.keys.iterdir()) == ["blind.key", "current", "k1.key"]


def test_no_key_is_added_to_half_a_ring(house: Installation):
    (house.keys / "blind.key").unlink()
    assert house.yichuang("add").exit_code == 2
    assert not (house.keys / "k2.key").exists()


def test_progress_is_told_every_thousand(house: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keys, "_SAY_EVERY", 2)
    monkeypatch.setattr("kit.crypto.rotation._PORTION_ROWS", 1)
    house.letters(5)
    for content in (b"1", b"2", b"3"):
        house.file(content)
    house.yichuang("add")
    assert house.yichuang("rotate").output.splitlines()[:-1] == [
        f"{INBOX}: 2 of 5",
        f"{INBOX}: 4 of 5",
        f"{INBOX}: 5 of 5",
        "files: 2",
        "files: 3 sealed anew",
    ]
